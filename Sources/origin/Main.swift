import ArgumentParser
import ControlPlane
import Logging

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "origin",
        abstract:
            "Takes broadcasts from publishers (WHIP) and serves them to edges and, where allowed, to viewers (WHEP).",
        discussion: """
            SIGTERM and SIGINT drain and then stop the node; a second signal stops it at once.
            Exit codes: 0 clean stop, 64 bad usage, 78 bad configuration, 1 anything else.
            """,
        version: CascadeVersion.current)

    @Option(help: ArgumentHelp("The deployment.", valueName: "file"))
    var topology = "topology.yaml"

    @Option(help: ArgumentHelp("Which node of it to be (default: NODE_NAME, else the only origin).", valueName: "name"))
    var node: String?

    @Flag(help: "Validate the topology and exit.")
    var check = false

    @Option(
        help: ArgumentHelp("The least important events to log: \(levels) (default: info).", valueName: "level"),
        transform: { name in
            guard let level = Logger.Level(rawValue: name) else { throw ValidationError("expected \(levels)") }
            return level
        })
    var logLevel = Logger.Level.info

    @Option(help: "How log lines look.")
    var logFormat = LogFormat.text

    func run() async throws {
        let program = NodeProgram(
            role: .origin, topologyFile: topology, nodeName: node, isCheck: check, logLevel: logLevel,
            logFormat: logFormat)
        throw ExitCode(await program.run().rawValue)
    }
}

private let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")

extension LogFormat: ExpressibleByArgument {}
