import ControlPlane
import Forwarding
import Glibc
import Logging
import Synchronization
import Testing
import WebRTC

/// A whole node in this process, on loopback ports of its own.
struct RunningNode: Sendable {
    let node: Topology.Node
    let running: NodeRuntime.Running

    var sessions: Sessions { running.sessions }
    var url: String { node.publicListener.url }
    var internalURL: String { node.internalListener.url }
}

/// HTTP exchanges of all tests.
let http = HTTPClient(exchanges: 16)
let whip = WHIPClient(http: http, redirects: .trusted)
/// For answers and conditions that a test waits for. It only ends a run that fails: far above what a busy machine needs.
let patience = Duration.seconds(60)

extension WHIPClient {
    /// With the patience of tests.
    func post(offer: String, url: String, token: String? = nil) async throws -> Answer {
        try await post(offer: offer, url: url, token: token, headers: [], timeout: patience)
    }

    /// With the patience of tests.
    @discardableResult
    func delete(url: String) async throws -> Int { try await delete(url: url, token: nil, timeout: patience) }
}

extension Topology {
    /// Everything open, one region, no nodes yet.
    static func forTests() -> Topology {
        var topology = Topology()
        topology.auth.publish = .open
        topology.auth.watch = .open
        topology.auth.node = .open
        (topology.drainDeadline, topology.drainWindow) = (.zero, .zero)
        topology.relayTimeout = patience
        // Most sessions of tests have nobody at the other end.
        topology.limits.forwarding.setupTimeout = .seconds(Int64(600))
        topology.regions = [.init(name: "eu", location: .init(latitude: 50.11, longitude: 8.68))]
        return topology
    }

    mutating func addNode(_ name: String, _ role: Role, upstream: [String] = [], viewers: Bool = true) {
        let (first, second) = (freePort(), freePort())
        nodes.append(
            Node(
                name: name, role: role, region: "eu",
                publicListener: .init(host: "127.0.0.1", port: first, url: "http://127.0.0.1:\(first)"),
                internalListener: .init(host: "127.0.0.1", port: second, url: "http://127.0.0.1:\(second)"),
                media: Media(
                    listen: TransportAddress("127.0.0.1", port: 0)!,
                    advertise: [TransportAddress("127.0.0.1", port: 0)!]),
                viewers: viewers, upstream: upstream.isEmpty ? .none : .static(upstream)))
    }
}

/// Runs every node of `topology`, then `body`, then stops them in order, the last first. A node that is not to run is left out
/// by name. `seenBy` is the file as one node has it, where nodes differ.
func withNodes(
    _ topology: Topology, except left: Set<String> = [], logger: Logger? = nil,
    seenBy: (String) -> Topology? = { _ in nil },
    _ body: @escaping @Sendable ([String: RunningNode]) async throws -> Void
) async throws {
    var logger = logger ?? Logger(label: "test")
    logger.logLevel = logger.handler is RecordingLog || logger.handler is StructuredLog ? .debug : .error
    let quiet = logger
    try await withThrowingTaskGroup(of: Void.self) { group in
        var nodes: [String: RunningNode] = [:]
        for node in topology.nodes where !left.contains(node.name) {
            let (stream, continuation) = AsyncStream.makeStream(of: NodeRuntime.Running.self)
            let topology = seenBy(node.name) ?? topology
            group.addTask {
                defer { continuation.finish() }
                try await NodeRuntime.run(topology: topology, node: node, logger: quiet) { continuation.yield($0) }
            }
            var iterator = stream.makeAsyncIterator()
            let running = try #require(await iterator.next(), "the node did not start")
            nodes[node.name] = RunningNode(node: node, running: running)
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(nodes))
        } catch {
            result = .failure(error)
        }
        for node in topology.nodes.reversed() { await nodes[node.name]?.running.shutDown() }
        try await group.waitForAll()
        try result.get()
    }
}

/// One origin that people may watch at, everything open.
func withOrigin(
    _ change: (inout Topology) -> Void = { _ in }, _ body: @escaping @Sendable (RunningNode) async throws -> Void
) async throws {
    var topology = Topology.forTests()
    topology.addNode("origin-1", .origin)
    change(&topology)
    try await withNodes(topology) { try await body($0["origin-1"]!) }
}

/// The ports that this process gives to its tests, below the range that the kernel takes client ports from (32768 on, if
/// nobody changed it). Runs that share a machine have a block each: a port that was free when it was looked at stays free
/// until a node binds it.
private struct PortBlock {
    private static let length = 500
    private let first: Int
    private var last: Int

    /// Whoever listens on a block's first port has the block, until its process ends.
    init() {
        first = stride(from: 20_000, to: 32_000, by: Self.length).first { listeningSocket($0) >= 0 } ?? 0
        precondition(first > 0, "a block of ports is left")
        last = first
    }

    mutating func next() -> Int {
        repeat { last = last < first + Self.length - 1 ? last + 1 : first + 1 } while !isFree(last)
        return last
    }
}

private let ports = Mutex(PortBlock())

/// A TCP port that nobody has at the moment, and that no other test gets.
func freePort() -> Int { ports.withLock { $0.next() } }

private func isFree(_ port: Int) -> Bool {
    let socket = listeningSocket(port)
    if socket >= 0 { close(socket) }
    return socket >= 0
}

/// Listens on loopback and accepts nothing; negative when the port is taken.
func listeningSocket(_ port: Int) -> Int32 {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isBound = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    guard isBound, listen(socket, 16) == 0 else {
        close(socket)
        return -1
    }
    return socket
}

extension RunningNode {
    func request(
        _ method: String, _ path: String, _ headers: [(name: String, value: String)] = [], body: String = "",
        internal isInternal: Bool = false
    ) async throws -> HTTPClient.Response {
        let base = path.hasPrefix("http") ? "" : isInternal ? internalURL : url
        return try await http.perform(
            .init(method, base + path, headers: headers, body: Array(body.utf8), timeout: patience))
    }

    /// POSTs an SDP offer to a path of the public listener.
    func offer(
        _ sdp: String, to path: String, token: String? = nil, headers: [(name: String, value: String)] = []
    ) async throws -> WHIPClient.Answer {
        try await whip.post(offer: sdp, url: url + path, token: token, headers: headers, timeout: patience)
    }
}
