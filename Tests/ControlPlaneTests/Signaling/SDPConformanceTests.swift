import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// Each test is named for the item of the WHIP/WHEP conformance checklist that it proves, against a real node over HTTP.

@Suite("Conformance: SDP") struct SDPConformanceTests {
    @Test func item16_whipAnswerIsRecvonly() async throws {
        try await withOrigin { node in
            let answer = try await node.offer(Offers.publisher(), to: "/whip/a")
            #expect(answer.sdp.sdpSections.allSatisfy { $0.contains("a=recvonly") })
            #expect(try await node.offer(Offers.publisher(direction: "sendrecv"), to: "/whip/b").status == 201)
            for direction in ["recvonly", "inactive"] {
                let refused = try await node.offer(Offers.publisher(direction: direction), to: "/whip/c")
                #expect([400, 422].contains(refused.status), "\(direction)")
            }
        }
    }

    @Test func item16_whepAnswerIsSendonly() async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a")
            let answer = try await node.offer(Offers.viewer(), to: "/whep/a")
            #expect(answer.status == 201 && answer.sdp.sdpSections.allSatisfy { $0.contains("a=sendonly") })
            #expect(try await node.offer(Offers.viewer(direction: "sendrecv"), to: "/whep/a").status == 201)
            for direction in ["sendonly", "inactive"] {
                let refused = try await node.offer(Offers.viewer(direction: direction), to: "/whep/a")
                #expect([400, 422].contains(refused.status), "\(direction)")
            }
        }
    }

    @Test func item17_bundleAndMuxInEverySection() async throws {
        try await withOrigin { node in
            for path in ["/whip/a", "/whep/a"] {
                let answer =
                    path == "/whip/a"
                    ? try await node.publishLive("a") : try await node.offer(Offers.viewer(), to: path)
                #expect(answer.sdp.sdpLines.contains("a=group:BUNDLE 0 1"))
                for section in answer.sdp.sdpSections {
                    #expect(section.contains("a=rtcp-mux") && section.contains("a=rtcp-mux-only"))
                }
            }
        }
    }

    @Test func item18_oneStreamOneTrackOfAKind() async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a")
            let answer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let streams = answer.sdp.sdpLines.filter { $0.hasPrefix("a=msid:") }.map { $0.prefix { $0 != " " } }
            #expect(streams.count == 2 && Set(streams).count == 1)
            var double = Offers.publisher().replacing("BUNDLE 0 1", with: "BUNDLE 0 1 2")
            let audio = Offers.publisher(video: nil).sdpSections[0].map { $0 + "\r\n" }.joined()
            double += audio.replacing("a=mid:0", with: "a=mid:2").replacing("1001", with: "1003")
            let status = try await node.offer(double, to: "/whip/b").status
            #expect([400, 422].contains(status))
        }
    }

    @Test func item19_noPartialSuccess() async throws {
        try await withOrigin { node in
            let offer = Offers.publisher(video: "a=rtpmap:96 H263-1998/90000")
            let status = try await node.offer(offer, to: "/whip/a").status
            #expect([400, 422].contains(status))
            #expect(await node.sessions.snapshot().present[.publisher] ?? 0 == 0)
        }
    }

    @Test(arguments: ["actpass", "active"]) func item20_answerIsPassive(setup: String) async throws {
        try await withOrigin { node in
            let answer = try await node.offer(Offers.publisher(setup: setup), to: "/whip/a")
            #expect(answer.status == 201)
            #expect(answer.sdp.sdpLines.filter { $0.hasPrefix("a=setup:") }.allSatisfy { $0 == "a=setup:passive" })
        }
    }

    @Test func item21_answerHasAllCandidates() async throws {
        try await withOrigin { node in
            let lines = try await node.offer(Offers.publisher(), to: "/whip/a").sdp.sdpLines
            #expect(lines.contains { $0.hasPrefix("a=candidate:") && $0.contains(" 127.0.0.1 ") })
            #expect(lines.contains("a=end-of-candidates") && lines.contains("a=ice-lite"))
        }
    }

    @Test func item22_offersWithAnyCandidates() async throws {
        try await withOrigin { node in
            let candidates = [
                "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host",
                "a=candidate:2 1 udp 2113937151 8f6a4b1c-0000-4000-8000-1234567890ab.local 50001 typ host",
                "a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active",
                "a=candidate:4 1 udp 1 no.such.host 1 typ host",
            ]
            for count in 0...candidates.count {
                let lines = (candidates.prefix(count) + ["a=mid:0"]).joined(separator: "\r\n")
                let offer = Offers.publisher().replacing("a=mid:0", with: lines)
                let answer = try await node.offer(offer, to: "/whip/c\(count)")
                #expect(answer.status == 201)
            }
        }
    }

    @Test func item23_simulcastIsAnswered() async throws {
        try await withOrigin { node in
            let answer = try await node.offer(Offers.simulcast, to: "/whip/a")
            #expect(answer.status == 201)
            for line in ["a=rid:h recv", "a=rid:l recv"] { #expect(answer.sdp.sdpLines.contains(line)) }
            #expect(answer.sdp.sdpLines.contains { $0.hasPrefix("a=simulcast:recv ") })
        }
    }

    @Test func item24_endedTransportEndsTheResource() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let id = try #require(await node.sessions.identifier(of: try node.resource(of: answer)))
            await node.sessions.apply(.closed(id, reason: .consentExpired, SessionStatistics(direction: .source)))
            #expect(try await node.request("GET", try node.path(of: answer)).status == 404)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 409)
        }
    }

    @Test func item25_answerFollowsTheOffer() async throws {
        try await withOrigin { node in
            let lines = try await node.publishLive("a", offer: Offers.publisher(video: Offers.h264)).sdp.sdpLines
            #expect(lines.contains("a=rtpmap:96 H264/90000") && lines.contains("a=fmtp:97 apt=96"))
            #expect(lines.contains { $0.hasPrefix("a=fmtp:96 ") && $0.contains("packetization-mode=1") })
            #expect(lines.contains { $0.hasPrefix("a=fmtp:111 ") && $0.contains("stereo=1") })
            #expect(lines.contains("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"))
            #expect(lines.contains("a=extmap-allow-mixed"))
            let h264 = { (mode: Int) in
                "a=rtpmap:98 H264/90000\r\na=fmtp:98 level-asymmetry-allowed=1;packetization-mode=\(mode);"
                    + "profile-level-id=42e01f"
            }
            let viewer = try await node.offer(Offers.viewer(video: h264(1)), to: "/whep/a")
            #expect(viewer.status == 201 && viewer.sdp.sdpLines.contains("a=rtpmap:98 H264/90000"))
            #expect(viewer.sdp.sdpLines.contains("a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid"))
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 406)
        }
    }
}
