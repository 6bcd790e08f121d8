import Forwarding
import Hummingbird
package import Logging
import MediaPlane
import NIOCore
import ServiceLifecycle
import WebRTC

/// One node, put together: media workers, the table of sessions, HTTP listeners.
package enum NodeRuntime {
    /// How long the answers of requests under way may take once the node stops.
    static let lastAnswers = Duration.seconds(5)
    /// A connection on which no further request comes for so long is closed.
    static let idleConnection = TimeAmount.seconds(60)

    /// What a test wants to know of a running node.
    package struct Running: Sendable {
        private let ports: [ListenerKind: Int]
        package var sessions: Sessions
        private let group: GroupHandle

        fileprivate init(ports: [ListenerKind: Int], sessions: Sessions, group: GroupHandle) {
            (self.ports, self.sessions, self.group) = (ports, sessions, group)
        }

        package var publicPort: Int { ports[.public] ?? 0 }
        package var internalPort: Int { ports[.internal] ?? 0 }

        /// Begins what SIGTERM begins; `run` returns when it is done.
        package func shutDown() async { await group.shutDown() }
    }

    /// Runs until graceful shutdown: then drains, closes viewers, publishers and relays, says good-bye to the nodes above, and
    /// returns.
    ///
    /// - Parameter onRunning: called once all listeners are bound.
    /// - Throws: when a port cannot be had.
    package static func run(
        topology: Topology, node: Topology.Node, logger: Logger,
        onRunning: @escaping @Sendable (Running) async -> Void = { _ in }
    ) async throws {
        let identity = try DTLSIdentity.generate()
        let instance = ResourceName.urlSafeText(of: .random(in: 0...UInt64.max))
        let media = try MediaPlane(
            .init(
                listen: node.media.listen, workers: node.media.workers, advertise: node.media.advertise ?? [],
                identity: identity, limits: topology.limits.forwarding, seed: .random(in: 0...UInt64.max)),
            logger: logger)
        let trust = try topology.internalTLS.map { files throws in try PeerTrust(files.of(node.name)) }
        let publicIdentity = try node.front.tls.map { files throws in try PeerTrust(files) }
        let tokens = NodeTokens(topology.auth.node, node: node.name)
        let directory = NodeDirectory(
            node: node, topology: topology, instance: instance, logger: logger, trust: trust
        ) { name in
            tokens.authorization(for: NodeTokens.anyBroadcast, at: name)
        }
        let shares = FairShares(topology.limits)
        let sessions = Sessions(
            node: node, topology: topology, instance: instance, media: media, fingerprint: identity.fingerprint,
            shares: shares,
            relayClient: RelayClient(tokens: tokens, instance: instance, trust: trust) { id in
                await directory.doubt(id)
            },
            alternatives: { await directory.alternatives(for: $0 == .publisher ? .publishers : .viewers) },
            logger: logger)
        let surface = NodeSurface(
            node: node, topology: topology, sessions: sessions, media: media, tokens: tokens, directory: directory,
            shares: shares,
            proxy: SessionProxy(
                topology: topology, tokens: tokens, trust: trust, shares: shares, logger: logger
            ) { name in
                await directory.internalURL(of: name)
            }, log: (logger.handler as? StructuredLog)?.output, logger: logger)
        let handle = GroupHandle()
        let kinds: [ListenerKind] = [.public, .internal] + (node.front.plain == nil ? [] : [.plain])
        let ports = BoundPorts(kinds) { ports in
            logger.info(
                "listening",
                metadata: Logger.Metadata(
                    uniqueKeysWithValues: ports.map { ($0.key.rawValue, "\($0.value)") }))
            await onRunning(Running(ports: ports, sessions: sessions, group: handle))
        }
        let listeners = kinds.map { kind in
            let identity: PeerTrust? =
                switch kind {
                case .public: publicIdentity
                case .internal: trust
                case .plain: nil
                }
            return application(kind, surface, trust: identity, ports: ports, logger: logger)
        }
        // Stopped from the last to the first: sessions end while the listeners still answer DELETE and GET.
        let identities = [("certificates", trust), ("public certificate", publicIdentity)]
        let files = followed(topology.auth, surface, identities)
        let services: [any Service] =
            [EventPump(sessions: sessions, media: media, directory: directory)] + listeners + [directory]
            + (files.isEmpty ? [] : [FollowedFiles(files, logger: logger)])
            + [SessionsLife(sessions: sessions, directory: directory)]
        var configuration = ServiceGroupConfiguration(services: services, logger: quiet(logger))
        configuration.maximumGracefulShutdownDuration = topology.drainDeadline + lastAnswers
        do {
            let group = ServiceGroup(configuration: configuration)
            await handle.set(group)
            try await group.run()
        } catch {
            await media.stop()
            throw error
        }
        await media.stop()
    }

    /// What is replaced while the node runs.
    private static func followed(
        _ auth: Topology.Auth, _ surface: NodeSurface, _ identities: [(name: String, PeerTrust?)]
    ) -> [FollowedFiles.Group] {
        var groups: [FollowedFiles.Group] = []
        for file in auth.files {
            groups.append(
                .init("token \(file)", [file]) { () async throws(FollowedFiles.Failure) in
                    try surface.authorizer.reload(file: file)
                })
        }
        if let file = auth.node.file {
            groups.append(
                .init("node secret", [file]) { () async throws(FollowedFiles.Failure) in
                    surface.tokens.replace(by: try NodeSecrets(file: file))
                })
        }
        for case (let name, let trust?) in identities {
            groups.append(
                .init(name, trust.files.all) { () async throws(FollowedFiles.Failure) in
                    do throws(PeerTrust.Failure) {
                        try trust.reload()
                    } catch {
                        throw .init(error.description)
                    }
                })
        }
        return groups
    }

    private static func application(
        _ listener: ListenerKind, _ surface: NodeSurface, trust: PeerTrust?, ports: BoundPorts, logger: Logger
    ) -> any Service {
        let node = surface.node
        let (host, port) =
            switch listener {
            case .public: (node.publicListener.host, node.publicListener.port)
            case .internal: (node.internalListener.host, node.internalListener.port)
            case .plain: (node.front.plain?.host ?? "", node.front.plain?.port ?? 0)
            }
        return Application(
            responder: ListenerResponder(listener, of: surface),
            server: .http1(listener, of: surface, idleTimeout: idleConnection, trust: trust, logger: logger),
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { server in
                await ConnectionAdmission.join(server, as: listener, of: surface, logger: logger)
                await ports.bound(listener, port: server.localAddress?.port ?? 0)
            },
            logger: quiet(logger))
    }

    /// Libraries have their own idea of what is worth an info line; ours are about sessions and the cluster.
    private static func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}

/// Brings worker events and the passing of time to the table of sessions. Outlives the listeners, so that the last
/// closings are still logged.
private struct EventPump: Service {
    var sessions: Sessions
    var media: MediaPlane
    var directory: NodeDirectory

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await event in directory.events { await sessions.heard(event) } }
            group.addTask { for await event in media.events { await sessions.apply(event) } }
            group.addTask {
                await cancelWhenGracefulShutdown { await sessions.keepTime() }
                // Workers say what ended, then their stream of events ends, and with it the task above.
                await media.stop()
            }
        }
    }
}

/// Waits for the end, drains while everything else still works, and then ends the sessions that are left.
private struct SessionsLife: Service {
    var sessions: Sessions
    var directory: NodeDirectory

    func run() async throws {
        try? await gracefulShutdown()
        await directory.watchOthers(closely: true)
        await sessions.beginDrain(.signal)
        for await _ in sessions.drained {}
        await sessions.stopAfterDrain()
    }
}

/// Waits until all listeners are bound.
private actor BoundPorts {
    private var ports: [ListenerKind: Int] = [:]
    private let kinds: [ListenerKind]
    private let onAll: @Sendable ([ListenerKind: Int]) async -> Void

    init(_ kinds: [ListenerKind], onAll: @escaping @Sendable ([ListenerKind: Int]) async -> Void) {
        (self.kinds, self.onAll) = (kinds, onAll)
    }

    func bound(_ listener: ListenerKind, port: Int) async {
        ports[listener] = port
        if ports.count == kinds.count { await onAll(ports) }
    }
}

/// The service group, for those who are made before it.
private actor GroupHandle {
    private var group: ServiceGroup?

    func set(_ group: ServiceGroup) { self.group = group }
    func shutDown() async { await group?.triggerGracefulShutdown() }
}
