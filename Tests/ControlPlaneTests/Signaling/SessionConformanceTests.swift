import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// Each test is named for the item of the WHIP/WHEP conformance checklist that it proves, against a real node over HTTP.

private let sdpType = [(name: "Content-Type", value: "application/sdp")]
/// Fragments that go with `Offers.publisher()`.
private let sameICE = (ufrag: "EsAw", password: "P2uYro0UCOQ4zxjKXaWCBui1")
private let newICE = (ufrag: "NewU", password: "newnewnewnewnewnewnewnew")

@Suite("Conformance: PATCH and DELETE") struct SessionConformanceTests {
    @Test func item26_onlyFragmentsAreTaken() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let good = Offers.fragment(ufrag: sameICE.ufrag, password: sameICE.password)
            for type in ["text/plain", "application/sdp"] {
                #expect(try await node.patch(answer, good, ifMatch: answer.etag, type: type).status == 415)
            }
            for broken in ["", "rubbish", "a=ice-ufrag:EsAw\r\n", "a=ice-ufrag:x\r\na=ice-pwd:y\r\n"] {
                #expect(try await node.patch(answer, broken, ifMatch: answer.etag).status == 400, "\(broken)")
            }
        }
    }

    @Test func item27_trickleAndRestartAreBothSupported() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let trickle = Offers.fragment(ufrag: sameICE.ufrag, password: sameICE.password)
            #expect(try await node.patch(answer, trickle, ifMatch: answer.etag).status == 204)
            let restart = Offers.fragment(ufrag: newICE.ufrag, password: newICE.password)
            #expect(try await node.patch(answer, restart, ifMatch: "*").status == 200)
        }
    }

    /// Whatever is said of a session is said once: its name is a secret, and it is gone tomorrow.
    @Test func nobodyKeepsWhatIsSaidOfSessions() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let path = try node.path(of: answer)
            for (method, path, status) in [
                ("GET", path, 200), ("HEAD", path, 200), ("OPTIONS", path, 200), ("PATCH", path, 415),
                ("DELETE", path, 200), ("GET", path, 404), ("GET", "/session/none/events/x", 404),
            ] {
                let response = try await node.request(method, path)
                #expect(response.status == status && response.header("Cache-Control") == "no-store", "\(method)")
            }
        }
    }

    @Test func item28_createdHasAStrongETag() async throws {
        try await withOrigin { node in
            var tags: Set<String> = []
            for name in ["a", "b", "c"] {
                let etag = try #require(try await node.publishLive(name).etag)
                #expect(etag.hasPrefix("\"") && etag.hasSuffix("\"") && etag.count > 2 && etag != "\"*\"")
                tags.insert(etag)
            }
            #expect(tags.count == 3)
        }
    }

    @Test func item29_ifMatchIsRequiredAndCompared() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let trickle = Offers.fragment(ufrag: sameICE.ufrag, password: sameICE.password)
            #expect(try await node.patch(answer, trickle, ifMatch: nil).status == 428)
            #expect(try await node.patch(answer, trickle, ifMatch: "\"stale\"").status == 412)
            #expect(try await node.patch(answer, trickle, ifMatch: "W/\(answer.etag!)").status == 412)
            #expect(try await node.patch(answer, trickle, ifMatch: "\"other\", \(answer.etag!)").status == 204)
        }
    }

    @Test func item30_deleteIgnoresIfMatch() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let path = try node.path(of: answer)
            #expect(try await node.request("DELETE", path, [("If-Match", "\"stale\"")]).status == 200)
        }
    }

    @Test func item31_trickleIsSilent() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let trickle = Offers.fragment(ufrag: sameICE.ufrag, password: sameICE.password)
            let response = try await node.patch(answer, trickle, ifMatch: answer.etag)
            #expect(response.status == 204 && response.body.isEmpty && response.header("ETag") == nil)
            #expect(response.header("Content-Length") == nil)
        }
    }

    @Test func item32_uselessCandidatesAreSkipped() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let trickle = Offers.fragment(
                ufrag: sameICE.ufrag, password: sameICE.password,
                candidates: [
                    "candidate:1 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active",
                    "candidate:2 1 udp 2113937151 some-name.local 50001 typ host",
                    "candidate:3 1 udp 2113937151 192.0.2.9 50002 typ host",
                ])
            #expect(try await node.patch(answer, trickle, ifMatch: answer.etag).status == 204)
        }
    }

    @Test func item33_fragmentsMatchOnMidAndUfrag() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let unknown = Offers.fragment(ufrag: sameICE.ufrag, password: sameICE.password, mid: "7")
            #expect(try await node.patch(answer, unknown, ifMatch: answer.etag).status == 400)
            // One credential of two is neither a trickle nor a restart.
            let half = Offers.fragment(ufrag: sameICE.ufrag, password: newICE.password)
            #expect(try await node.patch(answer, half, ifMatch: answer.etag).status == 400)
        }
    }

    @Test func item34_restartGivesNewCredentialsAndETag() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let restart = Offers.fragment(ufrag: newICE.ufrag, password: newICE.password)
            let response = try await node.patch(answer, restart, ifMatch: "*")
            #expect(response.status == 200)
            #expect(response.header("Content-Type") == "application/trickle-ice-sdpfrag")
            let etag = try #require(response.header("ETag"))
            #expect(etag != answer.etag)
            let old = answer.sdp.sdpLines.filter { $0.hasPrefix("a=ice-ufrag:") || $0.hasPrefix("a=ice-pwd:") }
            let new = response.text.sdpLines
            #expect(new.contains { $0.hasPrefix("a=ice-ufrag:") } && new.contains { $0.hasPrefix("a=ice-pwd:") })
            #expect(Set(old).isDisjoint(with: new))
            for prefix in ["a=ice-lite", "a=ice-options:"] {
                #expect(
                    answer.sdp.sdpLines.first { $0.hasPrefix(prefix) } == new.first { $0.hasPrefix(prefix) },
                    "\(prefix)")
            }
        }
    }

    @Test func item35_failedRestartKeepsTheSession() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let broken = Offers.fragment(ufrag: "x", password: "y")
            #expect(try await node.patch(answer, broken, ifMatch: "*").status == 400)
            let trickle = Offers.fragment(ufrag: sameICE.ufrag, password: sameICE.password)
            #expect(try await node.patch(answer, trickle, ifMatch: answer.etag).status == 204)
        }
    }

    @Test func item36_lateTrickleForTheOldICESession() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let restart = Offers.fragment(ufrag: newICE.ufrag, password: newICE.password)
            let etag = try await node.patch(answer, restart, ifMatch: "*").header("ETag")
            let late = Offers.fragment(ufrag: sameICE.ufrag, password: sameICE.password)
            #expect(try await node.patch(answer, late, ifMatch: answer.etag).status == 412)
            let current = Offers.fragment(ufrag: newICE.ufrag, password: newICE.password)
            #expect(try await node.patch(answer, current, ifMatch: etag).status == 204)
        }
    }

    @Test func item38_notLiveIsConflictWithRetryAfter() async throws {
        try await withOrigin { node in
            let response = try await node.request("POST", "/whep/nobody", sdpType, body: Offers.viewer())
            #expect(response.status == 409 && response.header("Retry-After").flatMap { Int($0) } != nil)
            // Published, but not connected yet: not live either.
            let publisher = try await node.offer(Offers.publisher(), to: "/whip/a")
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 409)
            try await node.connect(publisher)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 201)
        }
    }

    @Test func item39_deleteFreesEverythingOnce() async throws {
        try await withOrigin { node in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            for answer in [viewer, publisher] {
                let path = try node.path(of: answer)
                #expect(try await node.request("DELETE", path).status == 200)
                #expect(try await node.request("DELETE", path).status == 404)
            }
            let snapshot = await node.sessions.snapshot()
            #expect(snapshot.present.values.allSatisfy { $0 == 0 } && snapshot.opening.values.reduce(0, +) == 0)
            #expect(snapshot.liveBroadcasts == 0)
        }
    }
}
