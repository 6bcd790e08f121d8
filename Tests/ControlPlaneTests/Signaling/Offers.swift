/// Offers as browsers write them, with what a test wants changed.
enum Offers {
    /// What Chromium's `createOffer` gives a WHIP page: audio and video, sendonly, no candidates yet.
    static func publisher(
        audio: Bool = true, video: String? = vp8, direction: String = "sendonly", setup: String = "actpass",
        ufrag: String = "EsAw", password: String = "P2uYro0UCOQ4zxjKXaWCBui1"
    ) -> String {
        let mids = (audio ? ["0"] : []) + (video != nil ? ["1"] : [])
        var sdp = session(mids: mids)
        let transport = transport(setup: setup, ufrag: ufrag, password: password)
        if audio {
            sdp += """
                m=audio 9 UDP/TLS/RTP/SAVPF 111 63
                c=IN IP4 0.0.0.0
                a=rtcp:9 IN IP4 0.0.0.0
                \(transport)
                a=mid:0
                a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
                a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
                a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
                a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
                a=\(direction)
                a=msid:stream audiotrack
                a=rtcp-mux
                a=rtcp-rsize
                a=rtpmap:111 opus/48000/2
                a=rtcp-fb:111 transport-cc
                a=fmtp:111 minptime=10;useinbandfec=1;stereo=1
                a=rtpmap:63 red/48000/2
                a=fmtp:63 111/111
                a=ssrc:1001 cname:abc
                a=ssrc:1001 msid:stream audiotrack

                """
        }
        if let video {
            sdp += """
                m=video 9 UDP/TLS/RTP/SAVPF 96 97
                c=IN IP4 0.0.0.0
                a=rtcp:9 IN IP4 0.0.0.0
                \(transport)
                a=mid:1
                a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
                a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
                a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
                a=\(direction)
                a=msid:stream videotrack
                a=rtcp-mux
                a=rtcp-rsize
                \(video)
                a=rtcp-fb:96 goog-remb
                a=rtcp-fb:96 transport-cc
                a=rtcp-fb:96 ccm fir
                a=rtcp-fb:96 nack
                a=rtcp-fb:96 nack pli
                a=rtpmap:97 rtx/90000
                a=fmtp:97 apt=96
                a=ssrc-group:FID 2001 2002
                a=ssrc:2001 cname:abc
                a=ssrc:2001 msid:stream videotrack
                a=ssrc:2002 cname:abc
                a=ssrc:2002 msid:stream videotrack

                """
        }
        return crlf(sdp)
    }

    /// A publisher with two encodings of its video, `h` and `l`.
    static var simulcast: String {
        let encodings = [
            "a=mid:1", "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "a=rid:h send", "a=rid:l send",
            "a=simulcast:send h;l",
        ].joined(separator: "\r\n")
        return publisher().replacing("a=mid:1", with: encodings).sdpLines
            .filter { !$0.hasPrefix("a=ssrc:2") && !$0.hasPrefix("a=ssrc-group") }.map { $0 + "\r\n" }.joined()
    }

    /// A WHEP page's offer: both kinds recvonly, several codecs.
    static func viewer(
        video: String = "a=rtpmap:98 VP8/90000", videoTypes: String = "98", audio: String = "a=rtpmap:109 opus/48000/2",
        direction: String = "recvonly", setup: String = "actpass", ufrag: String = "Vwer",
        password: String = "aaaabbbbccccddddeeeeffff"
    ) -> String {
        let transport = transport(setup: setup, ufrag: ufrag, password: password)
        return crlf(
            session(mids: ["0", "1"]) + """
                m=video 9 UDP/TLS/RTP/SAVPF \(videoTypes) 99
                c=IN IP4 0.0.0.0
                \(transport)
                a=mid:0
                a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
                a=\(direction)
                a=rtcp-mux
                a=rtcp-rsize
                \(video)
                a=rtcp-fb:98 nack
                a=rtcp-fb:98 nack pli
                a=rtcp-fb:98 ccm fir
                a=rtpmap:99 rtx/90000
                a=fmtp:99 apt=98
                m=audio 9 UDP/TLS/RTP/SAVPF 109
                c=IN IP4 0.0.0.0
                \(transport)
                a=mid:1
                a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
                a=\(direction)
                a=rtcp-mux
                \(audio)
                a=fmtp:109 minptime=10;useinbandfec=1

                """)
    }

    static let vp8 = "a=rtpmap:96 VP8/90000"
    static let h264 = """
        a=rtpmap:96 H264/90000
        a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
        """

    /// A `trickle-ice-sdpfrag` for the first m-section.
    static func fragment(
        ufrag: String, password: String, mid: String = "0",
        candidates: [String] = ["candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host"]
    ) -> String {
        let lines =
            ["a=ice-ufrag:\(ufrag)", "a=ice-pwd:\(password)", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:\(mid)"]
            + candidates.map { "a=\($0)" } + ["a=end-of-candidates"]
        return lines.map { $0 + "\r\n" }.joined()
    }

    private static func session(mids: [String]) -> String {
        """
        v=0
        o=- 4611731400430051336 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE \(mids.joined(separator: " "))
        a=extmap-allow-mixed
        a=msid-semantic: WMS stream

        """
    }

    private static func transport(setup: String, ufrag: String, password: String) -> String {
        """
        a=ice-ufrag:\(ufrag)
        a=ice-pwd:\(password)
        a=ice-options:trickle
        a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
        a=setup:\(setup)
        """
    }

    private static func crlf(_ text: String) -> String { text.replacing("\n", with: "\r\n") }
}

extension String {
    /// The lines of an SDP.
    var sdpLines: [String] { split(whereSeparator: \.isNewline).map(String.init) }

    /// The m-sections of an SDP, each with its m-line first.
    var sdpSections: [[String]] {
        var sections: [[String]] = []
        for line in sdpLines {
            if line.hasPrefix("m=") { sections.append([]) }
            if !sections.isEmpty { sections[sections.count - 1].append(line) }
        }
        return sections
    }
}
