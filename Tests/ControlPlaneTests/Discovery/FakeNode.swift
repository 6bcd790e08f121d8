import HTTPTypes
import Hummingbird
import Logging
import Routing
import Synchronization

@testable import ControlPlane

/// A node's internal listener as far as directories need it, that says whatever a test wants.
final class FakeNode: Sendable {
    struct State {
        var facts: NodeFacts
        var broadcasts: [Announcement] = []
        var hasDirectory = true
        var heartbeat = Duration.milliseconds(200)
        /// In place of the snapshot, which must not come then.
        var rubbish: [(event: String, data: String)] = []
        /// Open ones, oldest first.
        var streams: [EventStream] = []
        var probes = 0
        /// Answers neither probes nor requests for its directory, as far as those are concerned.
        var isDead = false
        /// Requests for its directory.
        var follows = 0
        var authorization: String?
    }

    struct Snapshot: Encodable {
        var node: NodeFacts
        var broadcasts: [Announcement]
    }

    let name: String
    let port = freePort()
    let state: Mutex<State>

    init(_ name: String, _ role: Topology.Role = .origin, region: String = "eu", url: String = "http://127.0.0.1:1") {
        self.name = name
        state = Mutex(
            State(
                facts: .init(
                    node: name, role: role.rawValue, region: region, url: url, viewers: true, ready: true,
                    draining: false, load: 0.25)))
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var probes: Int { state.withLock { $0.probes } }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    func send(_ event: String, _ data: some Encodable) { state.withLock { $0.streams.last }?.send(event, data) }
    func send(_ event: String, text: String) { state.withLock { $0.streams.last }?.send(event, text) }

    /// Ends all streams.
    func breakStreams() {
        state.withLock { state in
            for stream in state.streams { stream.finish() }
            state.streams = []
        }
    }

    func announcement(_ name: String, started: UInt64 = 1) -> Announcement {
        Announcement(
            name: name, title: name, publication: .init(started: started, origin: self.name), path: [self.name],
            since: "2026-01-01T00:00:00Z", tracks: [], encodings: [])
    }

    func respond(_ request: Request) -> Response {
        state.withLock { state in
            switch request.uri.path {
            case "/readyz":
                state.probes += 1
                if state.isDead { return Response(status: .internalServerError) }
                return .json(state.facts, status: state.facts.ready ? .ok : .serviceUnavailable)
            case "/relay/directory":
                state.follows += 1
                guard state.hasDirectory else { return Response(status: .notFound) }
                guard !state.isDead else { return Response(status: .internalServerError) }
                state.authorization = request.headers[.authorization]
                let stream = EventStream()
                state.streams.append(stream)
                if state.rubbish.isEmpty {
                    stream.send("snapshot", Snapshot(node: state.facts, broadcasts: state.broadcasts))
                }
                for (event, data) in state.rubbish { stream.send(event, data) }
                return stream.response(heartbeat: state.heartbeat)
            default: return Response(status: .notFound)
            }
        }
    }
}

/// Runs `body` while all of `nodes` listen.
func withFakeNodes(_ nodes: [FakeNode], _ body: @escaping @Sendable () async throws -> Void) async throws {
    guard let node = nodes.first else { return try await body() }
    try await withServer(port: node.port) {
        node.respond($0)
    } _: { _ in
        try await withFakeNodes(Array(nodes.dropFirst()), body)
    }
}

/// A running directory and what it has told.
final class Follower: Sendable {
    static let instance = "of-this-process"

    let directory: NodeDirectory
    private let seen = Mutex<[DirectoryEvent]>([])

    init(
        _ node: Topology.Node, in topology: Topology, logger: Logger? = nil,
        authorization: @escaping @Sendable (String) -> String?
    ) {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        directory = NodeDirectory(
            node: node, topology: topology, instance: Self.instance, logger: logger ?? quiet,
            authorization: authorization)
    }

    static func run(
        _ node: Topology.Node, in topology: Topology, logger: Logger? = nil,
        authorization: @escaping @Sendable (String) -> String? = { _ in nil },
        _ body: (Follower) async throws -> Void
    ) async throws {
        let follower = Follower(node, in: topology, logger: logger, authorization: authorization)
        let running = Task { try await follower.directory.run() }
        let reading = Task {
            for await event in follower.directory.events { follower.seen.withLock { $0.append(event) } }
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(follower))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        await reading.value
        try result.get()
    }

    var events: [DirectoryEvent] { seen.withLock { $0 } }

    var neighbours: [Neighbour] {
        for case .neighbours(let list) in events.reversed() { return list }
        return []
    }

    /// Stream events in a short form: `snapshot a b`, `+a`, `-a`, `lost`.
    func story(of node: FakeNode) -> [String] {
        events.compactMap { event in
            switch event {
            case .snapshot(node.url, let list): (["snapshot"] + list.map(\.name)).joined(separator: " ")
            case .announced(node.url, let announcement): "+" + announcement.name
            case .withdrawn(node.url, let broadcast): "-" + broadcast
            case .lost(node.url): "lost"
            default: nil
            }
        }
    }
}

extension Topology {
    /// One edge, and fake nodes above it.
    static func below(_ nodes: [FakeNode]) -> Topology {
        var topology = Topology.forTests()
        for node in nodes { topology.addNode(node) }
        topology.addNode("edge-1", .edge, upstream: nodes.map(\.name))
        return topology
    }

    mutating func addNode(_ node: FakeNode) {
        let facts = node.state.withLock { $0.facts }
        addNode(facts.node, Role(rawValue: facts.role)!)
        nodes[nodes.count - 1].internalListener.port = node.port
        nodes[nodes.count - 1].internalListener.url = node.url
        nodes[nodes.count - 1].region = facts.region
    }
}

extension NodeDirectory {
    /// Nodes above in order of preference; those that are down only when nobody else is left.
    func candidates() -> [Observation] {
        let above = observations.filter { $0.kind == .above }
        let living = above.filter { $0.state != .down }
        return living.isEmpty ? above : living
    }
}
