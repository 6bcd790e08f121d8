import Testing
import WebRTC

@testable import ControlPlane

// Whatever comes in as a body is answered, never crashes the node, and leaves no session behind that nobody was told of.

@Suite("Bad input over HTTP") struct BadInputTests {
    @Test(arguments: [UInt64(1), 2, 3]) func mutatedOffers(seed: UInt64) async throws {
        try await withOrigin({ $0.limits.requestBurst = 10_000 }) { node in
            var generator = SeededGenerator(seed: seed)
            _ = try await node.publishLive("live")
            for n in 0..<150 {
                let watch = n.isMultiple(of: 2)
                let offer = mutate(watch ? Offers.viewer() : Offers.publisher(), using: &generator)
                let response = try await http.perform(
                    .init(
                        "POST", node.url + (watch ? "/whep/live" : "/whip/b\(n)"),
                        headers: [("Content-Type", "application/sdp")], body: offer))
                #expect([201, 400, 406, 422].contains(response.status), "seed \(seed), offer \(n)")
                guard let location = response.header("Location") else { continue }
                #expect(try await node.request("DELETE", location).status == 200)
            }
            let snapshot = await node.sessions.snapshot()
            #expect(snapshot.present.values.reduce(0, +) == 1 && snapshot.opening.values.reduce(0, +) == 0)
        }
    }

    @Test(arguments: [UInt64(1), 2]) func mutatedFragments(seed: UInt64) async throws {
        try await withOrigin({ $0.limits.requestBurst = 10_000 }) { node in
            var generator = SeededGenerator(seed: seed)
            let answer = try await node.publishLive("live")
            let url = try #require(answer.location)
            for n in 0..<150 {
                let fragment = Offers.fragment(ufrag: "EsAw", password: "P2uYro0UCOQ4zxjKXaWCBui1")
                let response = try await http.perform(
                    .init(
                        "PATCH", url,
                        headers: [("Content-Type", "application/trickle-ice-sdpfrag"), ("If-Match", "*")],
                        body: mutate(fragment, using: &generator)))
                #expect([200, 204, 400].contains(response.status), "seed \(seed), fragment \(n)")
            }
            #expect(try await node.request("DELETE", url).status == 200)
        }
    }
}

/// Changes, drops or doubles a few bytes or lines.
private func mutate(_ text: String, using generator: inout SeededGenerator) -> [UInt8] {
    var bytes = Array(text.utf8)
    for _ in 0..<Int.random(in: 1...6, using: &generator) where !bytes.isEmpty {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        let end = min(bytes.count, at + Int.random(in: 1...40, using: &generator))
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.removeSubrange(at..<end)
        case 2: bytes.insert(contentsOf: bytes[at..<end], at: at)
        default: bytes[at] = [0x0A, 0x0D, 0x20, 0x3A, 0x30, 0x39].randomElement(using: &generator)!
        }
    }
    return bytes
}
