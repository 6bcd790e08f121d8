import ArgumentParser
package import ControlPlane
import Logging

/// What `origin` and `edge` take on the command line, and do with it.
package struct NodeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The deployment.", valueName: "file"))
    var topology = "topology.yaml"

    @Option(
        help: ArgumentHelp(
            "Which node of it to be (default: NODE_NAME, else the only one of its role).", valueName: "name"))
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

    package init() {}

    /// Ends with the exit code that `discussion` tells.
    package func run(as role: Topology.Role) async throws {
        let program = NodeProgram(
            role: role, topologyFile: topology, nodeName: node, isCheck: check, logLevel: logLevel,
            logFormat: logFormat)
        throw ExitCode(await program.run().rawValue)
    }

    package static let discussion = """
        SIGTERM and SIGINT drain and then stop the node; a second signal stops it at once.
        Exit codes: 0 clean stop, 64 bad usage, 78 bad configuration, 1 anything else.
        """
}

private let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")

extension LogFormat: ExpressibleByArgument {}
