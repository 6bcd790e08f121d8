// Firefox 153 as viewer, as captured: candidates of component 2 and of TCP, fingerprint at session level.
// Lines end in LF here; `crlf` gives what went over the wire.

enum FirefoxViewing {
    /// Video, then audio.
    static let firefoxViewer = SDPFixture(
        "firefoxViewer",
        """
        v=0
        o=mozilla...THIS_IS_SDPARTA-99.0 4574223380169427349 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=sendrecv
        a=fingerprint:sha-256 FE:B7:DD:A7:31:AD:B9:65:F2:21:40:AD:61:5A:DC:D2:22:CB:1C:FD:E7:10:76:6A:F1:34:2B:78:61:29:DF:4B
        a=group:BUNDLE 0 1
        a=ice-options:trickle
        a=msid-semantic:WMS *
        m=video 54635 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100 123 122 119
        c=IN IP4 192.0.2.2
        a=candidate:0 1 UDP 2122187007 192.0.2.2 54635 typ host
        a=candidate:1 1 UDP 2122252543 fd00::2 57763 typ host
        a=candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active
        a=candidate:3 1 TCP 2105524479 fd00::2 9 typ host tcptype active
        a=candidate:0 2 UDP 2122187006 192.0.2.2 59907 typ host
        a=candidate:1 2 UDP 2122252542 fd00::2 47373 typ host
        a=candidate:2 2 TCP 2105458942 192.0.2.2 9 typ host tcptype active
        a=candidate:3 2 TCP 2105524478 fd00::2 9 typ host tcptype active
        a=recvonly
        a=end-of-candidates
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=extmap:5 urn:ietf:params:rtp-hdrext:toffset
        a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap-allow-mixed
        a=fmtp:120 max-fs=12288;max-fr=60
        a=fmtp:124 apt=120
        a=fmtp:121 max-fs=12288;max-fr=60
        a=fmtp:125 apt=121
        a=fmtp:100 apt=99
        a=fmtp:119 apt=122
        a=ice-pwd:95cf89f6d0a998f8297b43ee9b392c8b
        a=ice-ufrag:a33361d6
        a=mid:0
        a=rtcp:59907 IN IP4 192.0.2.2
        a=rtcp-fb:120 nack
        a=rtcp-fb:120 nack pli
        a=rtcp-fb:120 ccm fir
        a=rtcp-fb:120 goog-remb
        a=rtcp-fb:120 transport-cc
        a=rtcp-fb:121 nack
        a=rtcp-fb:121 nack pli
        a=rtcp-fb:121 ccm fir
        a=rtcp-fb:121 goog-remb
        a=rtcp-fb:121 transport-cc
        a=rtcp-fb:99 nack
        a=rtcp-fb:99 nack pli
        a=rtcp-fb:99 ccm fir
        a=rtcp-fb:99 goog-remb
        a=rtcp-fb:99 transport-cc
        a=rtcp-fb:123 nack
        a=rtcp-fb:123 nack pli
        a=rtcp-fb:123 ccm fir
        a=rtcp-fb:123 goog-remb
        a=rtcp-fb:123 transport-cc
        a=rtcp-fb:122 nack
        a=rtcp-fb:122 nack pli
        a=rtcp-fb:122 ccm fir
        a=rtcp-fb:122 goog-remb
        a=rtcp-fb:122 transport-cc
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:120 VP8/90000
        a=rtpmap:124 rtx/90000
        a=rtpmap:121 VP9/90000
        a=rtpmap:125 rtx/90000
        a=rtpmap:99 AV1/90000
        a=rtpmap:100 rtx/90000
        a=rtpmap:123 ulpfec/90000
        a=rtpmap:122 red/90000
        a=rtpmap:119 rtx/90000
        a=setup:actpass
        a=ssrc:328110240 cname:{ecff8575-4606-452d-8db6-cf6df71ea3e8}
        m=audio 35801 UDP/TLS/RTP/SAVPF 109 9 0 8 101
        c=IN IP4 192.0.2.2
        a=candidate:0 1 UDP 2122187007 192.0.2.2 35801 typ host
        a=candidate:1 1 UDP 2122252543 fd00::2 36374 typ host
        a=candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active
        a=candidate:3 1 TCP 2105524479 fd00::2 9 typ host tcptype active
        a=candidate:0 2 UDP 2122187006 192.0.2.2 59145 typ host
        a=candidate:1 2 UDP 2122252542 fd00::2 46098 typ host
        a=candidate:2 2 TCP 2105458942 192.0.2.2 9 typ host tcptype active
        a=candidate:3 2 TCP 2105524478 fd00::2 9 typ host tcptype active
        a=recvonly
        a=end-of-candidates
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap-allow-mixed
        a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=fmtp:101 0-15
        a=ice-pwd:95cf89f6d0a998f8297b43ee9b392c8b
        a=ice-ufrag:a33361d6
        a=mid:1
        a=rtcp:59145 IN IP4 192.0.2.2
        a=rtcp-fb:109 transport-cc
        a=rtcp-fb:9 transport-cc
        a=rtcp-fb:0 transport-cc
        a=rtcp-fb:8 transport-cc
        a=rtcp-mux
        a=rtpmap:109 opus/48000/2
        a=rtpmap:9 G722/8000/1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=setup:actpass
        a=ssrc:266230192 cname:{ecff8575-4606-452d-8db6-cf6df71ea3e8}
        """)

    /// The same with mDNS names as candidates.
    static let firefoxHiddenViewer = SDPFixture(
        "firefoxHiddenViewer",
        """
        v=0
        o=mozilla...THIS_IS_SDPARTA-99.0 3309648752181842247 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=sendrecv
        a=fingerprint:sha-256 4F:77:BB:AB:49:A5:AD:F1:EF:90:AE:4A:BF:EA:E2:E5:2C:76:C9:89:FC:B6:29:C2:E2:FA:2B:97:36:48:0F:1A
        a=group:BUNDLE 0 1
        a=ice-options:trickle
        a=msid-semantic:WMS *
        m=video 9 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100 123 122 119
        c=IN IP4 0.0.0.0
        a=candidate:0 1 UDP 2122187007 f90c9797-3b00-4470-bf5a-af0fd539255b.local 50785 typ host
        a=candidate:1 1 UDP 2122252543 de40a010-2420-4595-b055-15d3d6257cb8.local 45366 typ host
        a=candidate:2 1 TCP 2105458943 f90c9797-3b00-4470-bf5a-af0fd539255b.local 9 typ host tcptype active
        a=candidate:3 1 TCP 2105524479 de40a010-2420-4595-b055-15d3d6257cb8.local 9 typ host tcptype active
        a=candidate:0 2 UDP 2122187006 f90c9797-3b00-4470-bf5a-af0fd539255b.local 46748 typ host
        a=candidate:1 2 UDP 2122252542 de40a010-2420-4595-b055-15d3d6257cb8.local 42693 typ host
        a=candidate:2 2 TCP 2105458942 f90c9797-3b00-4470-bf5a-af0fd539255b.local 9 typ host tcptype active
        a=candidate:3 2 TCP 2105524478 de40a010-2420-4595-b055-15d3d6257cb8.local 9 typ host tcptype active
        a=recvonly
        a=end-of-candidates
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=extmap:5 urn:ietf:params:rtp-hdrext:toffset
        a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap-allow-mixed
        a=fmtp:120 max-fs=12288;max-fr=60
        a=fmtp:124 apt=120
        a=fmtp:121 max-fs=12288;max-fr=60
        a=fmtp:125 apt=121
        a=fmtp:100 apt=99
        a=fmtp:119 apt=122
        a=ice-pwd:a9d04b71629bbf694527f16fc5c06f55
        a=ice-ufrag:0a0f8ede
        a=mid:0
        a=rtcp:46748 IN IP4 f90c9797-3b00-4470-bf5a-af0fd539255b.local
        a=rtcp-fb:120 nack
        a=rtcp-fb:120 nack pli
        a=rtcp-fb:120 ccm fir
        a=rtcp-fb:120 goog-remb
        a=rtcp-fb:120 transport-cc
        a=rtcp-fb:121 nack
        a=rtcp-fb:121 nack pli
        a=rtcp-fb:121 ccm fir
        a=rtcp-fb:121 goog-remb
        a=rtcp-fb:121 transport-cc
        a=rtcp-fb:99 nack
        a=rtcp-fb:99 nack pli
        a=rtcp-fb:99 ccm fir
        a=rtcp-fb:99 goog-remb
        a=rtcp-fb:99 transport-cc
        a=rtcp-fb:123 nack
        a=rtcp-fb:123 nack pli
        a=rtcp-fb:123 ccm fir
        a=rtcp-fb:123 goog-remb
        a=rtcp-fb:123 transport-cc
        a=rtcp-fb:122 nack
        a=rtcp-fb:122 nack pli
        a=rtcp-fb:122 ccm fir
        a=rtcp-fb:122 goog-remb
        a=rtcp-fb:122 transport-cc
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:120 VP8/90000
        a=rtpmap:124 rtx/90000
        a=rtpmap:121 VP9/90000
        a=rtpmap:125 rtx/90000
        a=rtpmap:99 AV1/90000
        a=rtpmap:100 rtx/90000
        a=rtpmap:123 ulpfec/90000
        a=rtpmap:122 red/90000
        a=rtpmap:119 rtx/90000
        a=setup:actpass
        a=ssrc:428852484 cname:{6b491350-f37d-4742-bc7f-099c244fe93c}
        m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
        c=IN IP4 0.0.0.0
        a=candidate:0 1 UDP 2122187007 f90c9797-3b00-4470-bf5a-af0fd539255b.local 42685 typ host
        a=candidate:1 1 UDP 2122252543 de40a010-2420-4595-b055-15d3d6257cb8.local 39878 typ host
        a=candidate:2 1 TCP 2105458943 f90c9797-3b00-4470-bf5a-af0fd539255b.local 9 typ host tcptype active
        a=candidate:3 1 TCP 2105524479 de40a010-2420-4595-b055-15d3d6257cb8.local 9 typ host tcptype active
        a=candidate:0 2 UDP 2122187006 f90c9797-3b00-4470-bf5a-af0fd539255b.local 56495 typ host
        a=candidate:1 2 UDP 2122252542 de40a010-2420-4595-b055-15d3d6257cb8.local 42411 typ host
        a=candidate:2 2 TCP 2105458942 f90c9797-3b00-4470-bf5a-af0fd539255b.local 9 typ host tcptype active
        a=candidate:3 2 TCP 2105524478 de40a010-2420-4595-b055-15d3d6257cb8.local 9 typ host tcptype active
        a=recvonly
        a=end-of-candidates
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap-allow-mixed
        a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=fmtp:101 0-15
        a=ice-pwd:a9d04b71629bbf694527f16fc5c06f55
        a=ice-ufrag:0a0f8ede
        a=mid:1
        a=rtcp:56495 IN IP4 f90c9797-3b00-4470-bf5a-af0fd539255b.local
        a=rtcp-fb:109 transport-cc
        a=rtcp-fb:9 transport-cc
        a=rtcp-fb:0 transport-cc
        a=rtcp-fb:8 transport-cc
        a=rtcp-mux
        a=rtpmap:109 opus/48000/2
        a=rtpmap:9 G722/8000/1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=setup:actpass
        a=ssrc:1216966047 cname:{6b491350-f37d-4742-bc7f-099c244fe93c}
        """)
}
