// Bodies of PATCH: trickled candidates and ICE restarts (RFC 8840 §9, RFC 9725 §4.3).

import Testing

@testable import WebRTC

@Suite struct ICEFragments {
    private let credentials = "a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n"

    @Test func candidatesArrive() throws {
        let text =
            credentials + """
                m=audio 9 RTP/AVP 0
                a=mid:0
                a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
                a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host
                a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active
                a=candidate:2154773085 1 udp 2122194687 f90c9797-3b00-4470-bf5a-af0fd539255b.local 61766 typ host
                a=end-of-candidates
                """
        let expected = ICEFragment(
            ice: ICECredentials(ufrag: "EsAw", password: "P2uYro0UCOQ4zxjKXaWCBui1"), mid: "0",
            candidates: [
                TransportAddress("192.0.2.1", port: 61764)!, TransportAddress("198.51.100.2", port: 61765)!,
            ], endOfCandidates: true)
        #expect(try Negotiation.parseFragment(text) == expected)
        #expect(try Negotiation.parseFragment(crlf(text)) == expected)
    }

    @Test func credentialsMayStandInTheSection() throws {
        let fragment = try Negotiation.parseFragment(
            "a=group:BUNDLE 0 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n" + crlf(credentials))
        #expect(fragment.mid == "1" && fragment.ice.ufrag == "EsAw")
        #expect(fragment.candidates.isEmpty && !fragment.endOfCandidates)
    }

    @Test(arguments: [
        "", "garbage", "a=mid:0\r\na=ice-ufrag:EsAw\r\n", "a=ice-ufrag:EsAw\r\na=ice-pwd:short\r\n",
        "m=audio\r\n", "{\"candidate\":\"\"}",
    ])
    func brokenOnesAreRefused(text: String) {
        let error = #expect(throws: NegotiationError.self) { try Negotiation.parseFragment(text) }
        #expect(error?.status == 400)
    }

    @Test func aRestartIsAnsweredAsTheAnswerWas() throws {
        let (answer, agreement) = try viewerAnswer(ChromiumViewing.chromiumViewer, [opus])
        var fresh = testTransport
        fresh.ice = ICECredentials(ufrag: "newufrag", password: "newpasswordnewpassword12")
        let text = Negotiation.fragment(local: fresh, agreement: agreement)
        let expected = """
            a=ice-lite
            a=ice-options:trickle ice2
            a=group:BUNDLE 1
            m=audio 9 UDP/TLS/RTP/SAVPF 111
            a=mid:1
            a=ice-ufrag:newufrag
            a=ice-pwd:newpasswordnewpassword12
            a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host
            a=candidate:2 1 udp 2130706175 2001:db8::1 5000 typ host
            a=candidate:3 1 udp 2130705919 127.0.0.1 5000 typ host
            a=end-of-candidates
            """
        #expect(text == crlf(expected))
        let parsed = try Negotiation.parseFragment(text)
        #expect(parsed.ice == fresh.ice && parsed.mid == "1" && parsed.candidates.count == 3 && parsed.endOfCandidates)
        #expect(answer.attributes.contains(.init("ice-options", "trickle ice2")))
    }
}
