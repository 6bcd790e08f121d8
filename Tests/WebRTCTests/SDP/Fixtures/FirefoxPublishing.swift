// Firefox 153 as publisher with its fake camera, as captured: no H264 here.
// Lines end in LF here; `crlf` gives what went over the wire.

enum FirefoxPublishing {
    /// Audio, then video.
    static let firefoxPublisher = SDPFixture(
        "firefoxPublisher",
        """
        v=0
        o=mozilla...THIS_IS_SDPARTA-99.0 8067514241546156742 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=sendrecv
        a=fingerprint:sha-256 65:B9:DA:31:9B:00:C7:21:C9:39:71:D5:13:B1:80:62:98:42:5C:C8:B4:5C:A2:FD:F6:26:B0:98:10:8F:37:A6
        a=group:BUNDLE 0 1
        a=ice-options:trickle
        a=msid-semantic:WMS *
        m=audio 55231 UDP/TLS/RTP/SAVPF 109 9 0 8 101
        c=IN IP4 192.0.2.2
        a=candidate:0 1 UDP 2122187007 192.0.2.2 55231 typ host
        a=candidate:1 1 UDP 2122252543 fd00::2 42568 typ host
        a=candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active
        a=candidate:3 1 TCP 2105524479 fd00::2 9 typ host tcptype active
        a=candidate:0 2 UDP 2122187006 192.0.2.2 33172 typ host
        a=candidate:1 2 UDP 2122252542 fd00::2 54588 typ host
        a=candidate:2 2 TCP 2105458942 192.0.2.2 9 typ host tcptype active
        a=candidate:3 2 TCP 2105524478 fd00::2 9 typ host tcptype active
        a=sendonly
        a=end-of-candidates
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap-allow-mixed
        a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=fmtp:101 0-15
        a=ice-pwd:b7f3ada9eaae750e8831c99585fc115e
        a=ice-ufrag:d51208fb
        a=mid:0
        a=msid:{d98abb67-beb7-4157-9117-f0ca13e6b765} {e85e4280-6f02-4253-ae2c-704a10a166ff}
        a=rtcp:33172 IN IP4 192.0.2.2
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
        a=ssrc:345382973 cname:{531e58a7-8b83-47f8-9d2e-838501b7fde8}
        m=video 59990 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100 123 122 119
        c=IN IP4 192.0.2.2
        a=candidate:0 1 UDP 2122187007 192.0.2.2 59990 typ host
        a=candidate:1 1 UDP 2122252543 fd00::2 59744 typ host
        a=candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active
        a=candidate:3 1 TCP 2105524479 fd00::2 9 typ host tcptype active
        a=candidate:0 2 UDP 2122187006 192.0.2.2 42992 typ host
        a=candidate:1 2 UDP 2122252542 fd00::2 43322 typ host
        a=candidate:2 2 TCP 2105458942 192.0.2.2 9 typ host tcptype active
        a=candidate:3 2 TCP 2105524478 fd00::2 9 typ host tcptype active
        a=sendonly
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
        a=ice-pwd:b7f3ada9eaae750e8831c99585fc115e
        a=ice-ufrag:d51208fb
        a=mid:1
        a=msid:{d98abb67-beb7-4157-9117-f0ca13e6b765} {2b0fce12-6d08-4878-9290-5cd082e1d8bd}
        a=rtcp:42992 IN IP4 192.0.2.2
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
        a=ssrc:961766259 cname:{531e58a7-8b83-47f8-9d2e-838501b7fde8}
        a=ssrc:1869276462 cname:{531e58a7-8b83-47f8-9d2e-838501b7fde8}
        a=ssrc-group:FID 961766259 1869276462
        """)

    /// Video with the rids q, h and f, then audio.
    static let firefoxSimulcast = SDPFixture(
        "firefoxSimulcast",
        """
        v=0
        o=mozilla...THIS_IS_SDPARTA-99.0 2361197600928229750 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=sendrecv
        a=fingerprint:sha-256 8C:2A:F4:22:BF:F1:47:49:1A:BB:B0:69:41:92:91:F0:D8:D3:6F:91:8D:1F:F3:DB:8D:E9:B1:FB:06:EB:8D:BC
        a=group:BUNDLE 0 1
        a=ice-options:trickle
        a=msid-semantic:WMS *
        m=video 55279 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100 123 122 119
        c=IN IP4 192.0.2.2
        a=candidate:0 1 UDP 2122187007 192.0.2.2 55279 typ host
        a=candidate:1 1 UDP 2122252543 fd00::2 43323 typ host
        a=candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active
        a=candidate:3 1 TCP 2105524479 fd00::2 9 typ host tcptype active
        a=candidate:0 2 UDP 2122187006 192.0.2.2 33938 typ host
        a=candidate:1 2 UDP 2122252542 fd00::2 44894 typ host
        a=candidate:2 2 TCP 2105458942 192.0.2.2 9 typ host tcptype active
        a=candidate:3 2 TCP 2105524478 fd00::2 9 typ host tcptype active
        a=sendonly
        a=end-of-candidates
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=extmap:5 urn:ietf:params:rtp-hdrext:toffset
        a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap:8/sendonly https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension
        a=extmap:9/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=extmap:10/sendonly urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
        a=extmap-allow-mixed
        a=fmtp:120 max-fs=12288;max-fr=60
        a=fmtp:124 apt=120
        a=fmtp:121 max-fs=12288;max-fr=60
        a=fmtp:125 apt=121
        a=fmtp:100 apt=99
        a=fmtp:119 apt=122
        a=ice-pwd:6763814aae0521dd32ae68a5043a9338
        a=ice-ufrag:bd68c8a5
        a=mid:0
        a=msid:{1b29c1cd-ba9a-4668-83c3-9d2c9266de52} {e44c4875-fc3c-4781-8235-13cdf9f85b53}
        a=rid:q send
        a=rid:h send
        a=rid:f send
        a=rtcp:33938 IN IP4 192.0.2.2
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
        a=simulcast:send q;h;f
        a=ssrc:1808744500 cname:{d85d405b-0312-472a-a854-b7f1bf8f42cd}
        a=ssrc:365144946 cname:{d85d405b-0312-472a-a854-b7f1bf8f42cd}
        a=ssrc:3958816295 cname:{d85d405b-0312-472a-a854-b7f1bf8f42cd}
        a=ssrc:2914624564 cname:{d85d405b-0312-472a-a854-b7f1bf8f42cd}
        a=ssrc:2868680545 cname:{d85d405b-0312-472a-a854-b7f1bf8f42cd}
        a=ssrc:2347061322 cname:{d85d405b-0312-472a-a854-b7f1bf8f42cd}
        a=ssrc-group:FID 1808744500 365144946
        a=ssrc-group:FID 3958816295 2914624564
        a=ssrc-group:FID 2868680545 2347061322
        m=audio 33493 UDP/TLS/RTP/SAVPF 109 9 0 8 101
        c=IN IP4 192.0.2.2
        a=candidate:0 1 UDP 2122187007 192.0.2.2 33493 typ host
        a=candidate:1 1 UDP 2122252543 fd00::2 40654 typ host
        a=candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active
        a=candidate:3 1 TCP 2105524479 fd00::2 9 typ host tcptype active
        a=candidate:0 2 UDP 2122187006 192.0.2.2 36181 typ host
        a=candidate:1 2 UDP 2122252542 fd00::2 36668 typ host
        a=candidate:2 2 TCP 2105458942 192.0.2.2 9 typ host tcptype active
        a=candidate:3 2 TCP 2105524478 fd00::2 9 typ host tcptype active
        a=sendonly
        a=end-of-candidates
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap-allow-mixed
        a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=fmtp:101 0-15
        a=ice-pwd:6763814aae0521dd32ae68a5043a9338
        a=ice-ufrag:bd68c8a5
        a=mid:1
        a=msid:{1b29c1cd-ba9a-4668-83c3-9d2c9266de52} {b593b268-3d45-492b-a6c7-4e1fcd417d96}
        a=rtcp:36181 IN IP4 192.0.2.2
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
        a=ssrc:2343229844 cname:{d85d405b-0312-472a-a854-b7f1bf8f42cd}
        """)
}
