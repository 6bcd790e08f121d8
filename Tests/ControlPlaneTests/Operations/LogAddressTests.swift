import Foundation
import Logging
import Testing
import WebRTC

@testable import ControlPlane

// Where addresses are to be masked, no line of a node has a whole one, whoever has put it there.

@Suite("Addresses in the log", .serialized) struct LogAddressTests {
    @Test(arguments: [
        ("192.0.2.77", "192.0.2.0"), ("192.0.2.77:5000", "192.0.2.0:5000"), ("10.1.2.3", "10.1.2.0"),
        ("http://192.0.2.77:9080/relay/x", "http://192.0.2.0:9080/relay/x"),
        ("connect(192.0.2.77): refused", "connect(192.0.2.0): refused"),
        ("no answer from 192.0.2.77.", "no answer from 192.0.2.0."), ("IPv4/192.0.2.77:80", "IPv4/192.0.2.0:80"),
        ("192.0.2.77,198.51.100.9", "192.0.2.0,198.51.100.0"),
        ("[192.0.2.77, \"198.51.100.9\"]", "[192.0.2.0, \"198.51.100.0\"]"),
        ("from:192.0.2.77:1:2", "from:192.0.2.0:1:2"), ("x192.0.2.77y", "x192.0.2.0y"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"), ("2001:DB8:1:2::5", "2001:db8:1::"),
        ("[2001:db8:1:2::5]:5000", "[2001:db8:1::]:5000"), ("2001:db8:1:2::/64", "2001:db8:1::/64"),
        ("http://[2001:db8:1:2::5]:9080", "http://[2001:db8:1::]:9080"), ("fe80::1:2%eth0", "fe80::%eth0"),
        ("::ffff:192.0.2.77", "192.0.2.0"), ("to 2001:db8:1:2::5: refused", "to 2001:db8:1::: refused"),
        ("x2001:db8:1:2::5y", "x2001:db8:1::y"), ("face192.0.2.77", "face192.0.2.0"),
        ("at:2001:db8:1:2::5", "at:2001:db8:1::"),
        // What is none.
        ("", ""), ("5000", "5000"), ("a.b.c.d", "a.b.c.d"), ("1.2.3", "1.2.3"), ("12:34:56", "12:34:56"),
        ("256.1.1.1", "256.1.1.1"), ("std::bad", "std::bad"), ("ICE/DTLS: up", "ICE/DTLS: up"),
        ("AA:BB:CC:DD:EE:FF", "AA:BB:CC:DD:EE:FF"), ("origin.example.net:8080", "origin.example.net:8080"),
        ("30.0 seconds", "30.0 seconds"), ("grün: é.é", "grün: é.é"),
    ])
    func whatReadsAsAnAddressIsMasked(text: String, expected: String) {
        #expect(LogAddresses.masked.shown(in: text) == expected)
        #expect(LogAddresses.full.shown(in: text) == text)
    }

    /// Texts of strangers: nothing traps, what is left has no address to mask, and other texts come out as they are.
    @Test func anyTextIsMaskedOnceAndForAll() {
        var generator = SeededGenerator(seed: 1)
        let pieces = [
            "::", ":", ".", "1", "0", "25", "192.0.2.77", "2001:db8", "ffff", "é", "x", " ", "[", "]", "_", "%",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<24, using: &generator))
                .map { _ in pieces.randomElement(using: &generator)! }.joined()
            let shown = LogAddresses.masked.shown(in: text)
            #expect(LogAddresses.masked.shown(in: shown) == shown, "\(text)")
            #expect(!shown.split(whereSeparator: { !$0.isNumber && $0 != "." }).contains("192.0.2.77"), "\(text)")
        }
    }

    private struct Failure: Error, CustomStringConvertible { var description: String { "no route to 192.0.2.77" } }

    @Test(arguments: LogFormat.allCases) func everyPartOfALine(format: LogFormat) {
        var handler = StructuredLog(format: format, level: .info, addresses: .masked)
        handler[metadataKey: "own"] = "192.0.2.77"
        handler.metadataProvider = Logger.MetadataProvider { ["provided": "192.0.2.77"] }
        let fields: Logger.Metadata = ["list": ["192.0.2.77", ["deep": "[2001:db8:1:2::5]:1"]]]
        let line = handler.line(
            level: .info, message: "of 192.0.2.77", metadata: fields, error: Failure(), time: Date())
        #expect(!line.contains("192.0.2.77") && !line.contains("::5"))
        #expect(line.matches(of: #/192\.0\.2\.0/#).count == 5 && line.contains("[2001:db8:1::]:1"), "\(line)")
    }

    /// Nodes at work and in trouble: people, nodes, connections beyond the limit, two with one name, one that is gone.
    private func lines(_ addresses: LogAddresses) async throws -> [String] {
        let file = FileManager.default.temporaryDirectory.appending(path: "cascade-\(UInt64.random(in: 0 ... .max))")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forWritingTo: file)
        let output = LineWriter(descriptor: handle.fileDescriptor) { "\($0) missing\n" }
        let logger = Logger(label: "test") { _ in
            StructuredLog(format: .text, level: .debug, addresses: addresses, output: output)
        }
        var topology = Topology.forTests()
        topology.limits.sharesLoopback = true
        topology.limits.connections = 40
        topology.relayTimeout = .seconds(1)
        topology.addNode("origin-1", .origin)
        topology.addNode("gone", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1", "gone"])
        try await withNodes(topology, except: ["gone"], logger: logger) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            _ = try await origin.publishLive("live")
            let watched = try await edge.offer(Offers.viewer(), to: "/whep/live")
            try await edge.connect(watched)
            #expect(try await edge.offer(Offers.viewer(), to: "/whep/nobody").status != 201)
            for instance in ["one", "two", "one", "two"] {
                _ = try await origin.request(
                    "POST", "/relay/live", [("Cascade-Path", "edge-9"), ("Cascade-Instance", instance)], internal: true)
            }
            // A quarter of all is this host's.
            let crowd = (0..<20).map { _ in RawConnection(port: edge.node.publicListener.port) }
            #expect(
                try await eventually {
                    try await edge.request("GET", "/metrics", internal: true).text.contains(
                        #/resource="connections",reason="share"} [1-9]/#)
                })
            withExtendedLifetime(crowd) {}
        }
        #expect(output.flush(within: patience))
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test func noLineOfANodeHasAWholeOne() async throws {
        let full = try await lines(.full)
        for text in ["session connected", "session closed", "connections refused"] {
            #expect(full.contains { $0.contains(text) && $0.contains("127.0.0.1") }, "\(text) tells an address")
        }
        let masked = try await lines(.masked)
        #expect(masked.contains { $0.contains("session connected") && $0.contains("remote=127.0.0.0:9") })
        #expect(!masked.contains { $0.contains("127.0.0.1") }, "\(masked.filter { $0.contains("127.0.0.1") })")
        #expect(masked.count > full.count / 2)
    }
}
