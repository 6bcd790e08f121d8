import ArgumentParser
import ControlPlane
import Glibc
import Logging

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Publishes to and watches broadcasts of any WHIP and WHEP server, measures, and renders deployments.",
        discussion: "Exit codes: 0 success, 64 bad usage, 78 bad configuration, 1 anything else.",
        version: CascadeVersion.current,
        subcommands: [
            Publish.self, Watch.self, Swarm.self, TopologyCommand.self, Nodes.self, Broadcasts.self, Drain.self,
        ])
}

/// Where, with which right, and how results are printed: the same for every command.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The WHIP or WHEP endpoint.", valueName: "url"))
    var url: String

    @Option(
        help: ArgumentHelp("Bearer token; better in CASCADE_PUBLISH_TOKEN or CASCADE_WATCH_TOKEN.", valueName: "token"))
    var token: String?

    @Flag(
        name: .customLong("location-trusted"),
        help: "Show the token wherever the server redirects to; else it stays at the URL's scheme, host and port.")
    var trustsRedirects = false

    @Flag(help: "Print one JSON object a second and a final one.")
    var json = false

    func validate() throws {
        let lower = url.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else {
            throw ValidationError("--url is an http or https URL")
        }
    }

    /// An argument is visible to every process of the host; the environment is not.
    func token(orFrom variable: String) -> String? {
        if let token { return token }
        guard let value = unsafe getenv(variable) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }

    var redirects: WHIPClient.Redirects { trustsRedirects ? .trusted : .followed }

    var logger: Logger {
        var logger = Logger(label: "probe") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        return logger
    }
}

func requirePositive(_ value: Double?, _ name: String) throws {
    if let value, !(value > 0 && value <= 1e6) { throw ValidationError("\(name) is a number above 0") }
}
