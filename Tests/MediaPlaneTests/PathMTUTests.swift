// Paths that take less than a full packet: what is too long for one arrives all the same, and others are sent runs as
// before. In a network namespace of the test's own thread, where one address has a route with a small MTU.

import Glibc
import MediaPlane
import Testing
import WebRTC

@Suite struct PathMTUTests {
    struct Paths: Sendable {
        var listen: String
        /// 1,400 bytes of path MTU.
        var narrow: String
        /// 64 KiB, the loopback device's own.
        var wide: String
        /// Makes them so, as a shell reads it.
        var setUp: String
    }

    private static let ipv4 = Paths(
        listen: "0.0.0.0", narrow: "127.0.0.2", wide: "127.0.0.1",
        setUp: "ip route replace local 127.0.0.2 dev lo table local mtu 1400")
    private static let ipv6 = Paths(
        listen: "::", narrow: "fd00::2", wide: "::1",
        // The kernel brings the new address's own route a moment after the address (addrconf works in a queue).
        setUp: """
            ip address add fd00::2/128 dev lo nodad && tries=0 && \
            until ip -6 route delete local fd00::2 dev lo table local 2>/dev/null; do \
                tries=$((tries + 1)); test $tries -lt 500 || exit 1; sleep 0.01; done && \
            ip -6 route add local fd00::2 dev lo table local mtu 1400
            """)
    private static let ipv4OfDualStack = Paths(
        listen: "::", narrow: ipv4.narrow, wide: ipv4.wide, setUp: ipv4.setUp)

    private struct Outcome {
        var arrived = 0
        var refused: UInt64 = 0
        var coalesces = true
    }

    @Test(
        .enabled(if: geteuid() == 0, "a network namespace takes root"), arguments: [ipv4, ipv6, ipv4OfDualStack])
    func fullPacketsArrive(_ paths: Paths) async throws {
        let run = (0..<8).map { pattern(1_440, $0) }
        let outcome = try await inNamespace(paths.setUp) { () throws -> Outcome in
            func peer(_ host: String) throws -> Peer { try Peer(TransportAddress(host, port: 0)!) }
            let (sender, narrow, wide) = (try peer(paths.listen), try peer(paths.narrow), try peer(paths.wide))
            var outcome = Outcome()
            // The narrow one alone for longer than it takes to give up runs, then both.
            for round in 0..<80 {
                let outbox = Outbox()
                for datagram in run { outbox.append(datagram, to: narrow.address) }
                if round >= 40 { for datagram in run { outbox.append(datagram, to: wide.address) } }
                outbox.append(pattern(1_440, round), to: narrow.address)
                sender.send(outbox)
                if narrow.receive(9).map(\.bytes) == run + [pattern(1_440, round)] { outcome.arrived += 1 }
                if round >= 40, wide.receive(8).map(\.bytes) == run { outcome.arrived += 1 }
                outcome.coalesces = outcome.coalesces && outbox.coalesces
            }
            outcome.refused = sender.refused
            return outcome
        }
        #expect(outcome.arrived == 120)
        #expect(outcome.refused == 0)
        #expect(outcome.coalesces)
    }

    /// Routers in the path may fragment IPv4 as well: they do where DF is clear. Of each socket, a relay's too.
    @Test(arguments: ["127.0.0.1", "::"]) func routersMayFragment(listen: String) throws {
        let peer = try Peer(TransportAddress(listen, port: 0)!)
        let client = try #require(peer.openClient())
        for descriptor in [peer.socket.descriptor(0), peer.socket.descriptor(client)] {
            #expect(option(IPPROTO_IP, IP_MTU_DISCOVER, of: descriptor) == IP_PMTUDISC_DONT)
        }
    }

    private func option(_ level: Int, _ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = -1
        var size = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, Int32(level), name, &value, &size) == 0 ? value : nil
    }
}

private struct NoNamespace: Error {
    var step: String
}

/// What `body` returns on a thread in a network namespace of its own, in which a shell has run `setUp`.
private func inNamespace<R: Sendable>(
    _ setUp: String, _ body: @escaping @Sendable () throws -> R
) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread(name: "namespace") {
            continuation.resume(
                with: Result {
                    // Glibc as Swift imports it lacks the call.
                    let symbol = unsafe dlsym(nil, "unshare")
                    let unshare = unsafe unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Int32).self)
                    let newNetwork: Int32 = 0x4000_0000
                    guard unshare(newNetwork) == 0 else { throw NoNamespace(step: "unshare") }
                    guard unsafe system("ip link set lo up && " + setUp) == 0 else { throw NoNamespace(step: setUp) }
                    return try body()
                })
        }.detach()
    }
}
