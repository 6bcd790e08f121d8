import FoundationEssentials
import Glibc
package import Logging
import ServiceLifecycle

/// What the programs `origin` and `edge` have in common, from parsed flags to the exit code.
package struct NodeProgram: Sendable {
    /// Exit codes; 64 (usage) comes from the argument parser.
    package enum Exit: Int32, Sendable {
        case clean = 0
        case failure = 1
        /// EX_CONFIG of sysexits.h.
        case badConfiguration = 78
    }

    package var role: Topology.Role
    package var topologyFile: String
    /// `--node`
    package var nodeName: String?
    package var isCheck: Bool
    package var logLevel: Logger.Level
    package var logFormat: LogFormat

    package init(
        role: Topology.Role, topologyFile: String, nodeName: String?, isCheck: Bool, logLevel: Logger.Level,
        logFormat: LogFormat
    ) {
        (self.role, self.topologyFile, self.nodeName) = (role, topologyFile, nodeName)
        (self.isCheck, self.logLevel, self.logFormat) = (isCheck, logLevel, logFormat)
    }

    /// Runs until the node has stopped; to be called once in a process. Configuration problems go to standard error as
    /// they are, one per line; everything later is logged.
    package func run() async -> Exit {
        let topology: Topology
        let chosen: Topology.Node?
        do throws(ConfigurationError) {
            let request = NodeRequest(
                role: role, name: nodeName, environment: ProcessInfo.processInfo.environment, isCheck: isCheck)
            (topology, chosen) = try Topology.load(file: topologyFile, for: request)
        } catch {
            say(error.description, on: STDERR_FILENO)
            return .badConfiguration
        }
        if isCheck {
            let what = chosen.map { "\($0.role.rawValue) \($0.name)" } ?? "every \(role.rawValue)"
            say("\(topologyFile): valid for \(what) (\(topology.nodes.count) nodes)", on: STDOUT_FILENO)
            return .clean
        }
        guard let node = chosen else { preconditionFailure("without --check a valid configuration names the node") }
        return await run(node, of: topology)
    }

    /// For what is said last: whoever reads may be busy, and one who has stopped does not hold up the end.
    private static let lastLines = Duration.seconds(2)

    private func say(_ text: String, on descriptor: Int32) {
        let output = LineWriter(descriptor: descriptor) { "(\($0) more)\n" }
        output.write(text + "\n")
        output.flush(within: Self.lastLines)
    }

    private func run(_ node: Topology.Node, of topology: Topology) async -> Exit {
        // A peer or a log reader that goes away is an error of `write`, not the end of the process.
        _ = signal(SIGPIPE, SIG_IGN)
        let output = StructuredLog.bootstrap(
            format: logFormat, level: logLevel, addresses: topology.logAddresses, descriptor: STDERR_FILENO)
        defer { output.flush(within: Self.lastLines) }
        var logger = Logger(label: "cascade")
        logger[metadataKey: "node"] = "\(node.name)"
        logger.info(
            "starting",
            metadata: [
                "role": "\(node.role.rawValue)", "region": "\(node.region)", "version": "\(CascadeVersion.current)",
                "public": "\(node.publicListener.url)", "internal": "\(node.internalListener.url)",
                "media": "\(node.media.ports)",
            ])
        let topology = topology.fitting(into: DescriptorLimit.raise(), for: node, logger: logger)
        var quiet = logger
        quiet.logLevel = max(logLevel, .error)
        let service = NodeService(topology: topology, node: node, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [.init(service: service)], logger: quiet))
        let watch = watchSignals(group, logger: logger, output)
        defer { watch.cancel() }
        do {
            try await group.run()
        } catch {
            logger.critical("stopped by an error", metadata: ["error": "\(error)"])
            return .failure
        }
        logger.info("stopped")
        return .clean
    }

    private func watchSignals(
        _ group: ServiceGroup, logger: Logger, _ output: LineWriter
    ) -> Task<Void, Never> {
        Task {
            var isStopping = false
            await TerminationSignals.forEach { name in
                if isStopping {
                    logger.warning("second signal: stopping at once", metadata: ["signal": "\(name)"])
                    output.flush(within: Self.lastLines)
                    _exit(Exit.failure.rawValue)
                }
                isStopping = true
                logger.info("draining, then stopping", metadata: ["signal": "\(name)"])
                await group.triggerGracefulShutdown()
            }
        }
    }
}

/// The node as a service, so that everything in it can ask whether shutdown has begun (`gracefulShutdown()`,
/// `withGracefulShutdownHandler`).
private struct NodeService: Service {
    var topology: Topology
    var node: Topology.Node
    var logger: Logger

    func run() async throws {
        try await NodeRuntime.run(topology: topology, node: node, logger: logger)
    }
}
