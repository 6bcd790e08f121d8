// Offers of ours and what browsers answered, as captured.
// Lines end in LF here; `crlf` gives what went over the wire.

enum BrowserAnswers {
    /// A relay's offer: receive video and audio.
    static let relayOffer = SDPFixture(
        "relayOffer",
        """
        v=0
        o=- 8750962200682484642 1 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=extmap-allow-mixed
        a=ice-options:trickle ice2
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 35 36 37 38 39 40 41 42 43
        c=IN IP4 0.0.0.0
        a=mid:0
        a=ice-ufrag:abcdefgh
        a=ice-pwd:abcdefghijklmnopqrstuvwx
        a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
        a=setup:active
        a=rtcp-mux
        a=rtcp-mux-only
        a=candidate:1 1 udp 2130706431 192.0.2.2 5000 typ host
        a=candidate:2 1 udp 2130706175 127.0.0.1 5000 typ host
        a=candidate:3 1 udp 2130705919 ::1 5000 typ host
        a=end-of-candidates
        a=recvonly
        a=rtcp-rsize
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 goog-remb
        a=rtcp-fb:96 transport-cc
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtpmap:97 rtx/90000
        a=fmtp:97 apt=96
        a=rtpmap:98 H264/90000
        a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034
        a=rtcp-fb:98 goog-remb
        a=rtcp-fb:98 transport-cc
        a=rtcp-fb:98 ccm fir
        a=rtcp-fb:98 nack
        a=rtcp-fb:98 nack pli
        a=rtpmap:99 rtx/90000
        a=fmtp:99 apt=98
        a=rtpmap:100 H264/90000
        a=fmtp:100 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=420034
        a=rtcp-fb:100 goog-remb
        a=rtcp-fb:100 transport-cc
        a=rtcp-fb:100 ccm fir
        a=rtcp-fb:100 nack
        a=rtcp-fb:100 nack pli
        a=rtpmap:101 rtx/90000
        a=fmtp:101 apt=100
        a=rtpmap:102 H264/90000
        a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d0034
        a=rtcp-fb:102 goog-remb
        a=rtcp-fb:102 transport-cc
        a=rtcp-fb:102 ccm fir
        a=rtcp-fb:102 nack
        a=rtcp-fb:102 nack pli
        a=rtpmap:103 rtx/90000
        a=fmtp:103 apt=102
        a=rtpmap:104 H264/90000
        a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c34
        a=rtcp-fb:104 goog-remb
        a=rtcp-fb:104 transport-cc
        a=rtcp-fb:104 ccm fir
        a=rtcp-fb:104 nack
        a=rtcp-fb:104 nack pli
        a=rtpmap:105 rtx/90000
        a=fmtp:105 apt=104
        a=rtpmap:106 H264/90000
        a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640034
        a=rtcp-fb:106 goog-remb
        a=rtcp-fb:106 transport-cc
        a=rtcp-fb:106 ccm fir
        a=rtcp-fb:106 nack
        a=rtcp-fb:106 nack pli
        a=rtpmap:107 rtx/90000
        a=fmtp:107 apt=106
        a=rtpmap:108 H264/90000
        a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=f40034
        a=rtcp-fb:108 goog-remb
        a=rtcp-fb:108 transport-cc
        a=rtcp-fb:108 ccm fir
        a=rtcp-fb:108 nack
        a=rtcp-fb:108 nack pli
        a=rtpmap:109 rtx/90000
        a=fmtp:109 apt=108
        a=rtpmap:110 H264/90000
        a=fmtp:110 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e034
        a=rtcp-fb:110 goog-remb
        a=rtcp-fb:110 transport-cc
        a=rtcp-fb:110 ccm fir
        a=rtcp-fb:110 nack
        a=rtcp-fb:110 nack pli
        a=rtpmap:112 rtx/90000
        a=fmtp:112 apt=110
        a=rtpmap:113 H264/90000
        a=fmtp:113 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=420034
        a=rtcp-fb:113 goog-remb
        a=rtcp-fb:113 transport-cc
        a=rtcp-fb:113 ccm fir
        a=rtcp-fb:113 nack
        a=rtcp-fb:113 nack pli
        a=rtpmap:114 rtx/90000
        a=fmtp:114 apt=113
        a=rtpmap:115 H264/90000
        a=fmtp:115 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=4d0034
        a=rtcp-fb:115 goog-remb
        a=rtcp-fb:115 transport-cc
        a=rtcp-fb:115 ccm fir
        a=rtcp-fb:115 nack
        a=rtcp-fb:115 nack pli
        a=rtpmap:116 rtx/90000
        a=fmtp:116 apt=115
        a=rtpmap:117 H264/90000
        a=fmtp:117 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=640c34
        a=rtcp-fb:117 goog-remb
        a=rtcp-fb:117 transport-cc
        a=rtcp-fb:117 ccm fir
        a=rtcp-fb:117 nack
        a=rtcp-fb:117 nack pli
        a=rtpmap:118 rtx/90000
        a=fmtp:118 apt=117
        a=rtpmap:119 H264/90000
        a=fmtp:119 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=640034
        a=rtcp-fb:119 goog-remb
        a=rtcp-fb:119 transport-cc
        a=rtcp-fb:119 ccm fir
        a=rtcp-fb:119 nack
        a=rtcp-fb:119 nack pli
        a=rtpmap:120 rtx/90000
        a=fmtp:120 apt=119
        a=rtpmap:121 H264/90000
        a=fmtp:121 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=f40034
        a=rtcp-fb:121 goog-remb
        a=rtcp-fb:121 transport-cc
        a=rtcp-fb:121 ccm fir
        a=rtcp-fb:121 nack
        a=rtcp-fb:121 nack pli
        a=rtpmap:122 rtx/90000
        a=fmtp:122 apt=121
        a=rtpmap:123 VP9/90000
        a=fmtp:123 profile-id=0
        a=rtcp-fb:123 goog-remb
        a=rtcp-fb:123 transport-cc
        a=rtcp-fb:123 ccm fir
        a=rtcp-fb:123 nack
        a=rtcp-fb:123 nack pli
        a=rtpmap:124 rtx/90000
        a=fmtp:124 apt=123
        a=rtpmap:125 VP9/90000
        a=fmtp:125 profile-id=1
        a=rtcp-fb:125 goog-remb
        a=rtcp-fb:125 transport-cc
        a=rtcp-fb:125 ccm fir
        a=rtcp-fb:125 nack
        a=rtcp-fb:125 nack pli
        a=rtpmap:126 rtx/90000
        a=fmtp:126 apt=125
        a=rtpmap:127 VP9/90000
        a=fmtp:127 profile-id=2
        a=rtcp-fb:127 goog-remb
        a=rtcp-fb:127 transport-cc
        a=rtcp-fb:127 ccm fir
        a=rtcp-fb:127 nack
        a=rtcp-fb:127 nack pli
        a=rtpmap:35 rtx/90000
        a=fmtp:35 apt=127
        a=rtpmap:36 VP9/90000
        a=fmtp:36 profile-id=3
        a=rtcp-fb:36 goog-remb
        a=rtcp-fb:36 transport-cc
        a=rtcp-fb:36 ccm fir
        a=rtcp-fb:36 nack
        a=rtcp-fb:36 nack pli
        a=rtpmap:37 rtx/90000
        a=fmtp:37 apt=36
        a=rtpmap:38 AV1/90000
        a=fmtp:38 profile=0
        a=rtcp-fb:38 goog-remb
        a=rtcp-fb:38 transport-cc
        a=rtcp-fb:38 ccm fir
        a=rtcp-fb:38 nack
        a=rtcp-fb:38 nack pli
        a=rtpmap:39 rtx/90000
        a=fmtp:39 apt=38
        a=rtpmap:40 AV1/90000
        a=fmtp:40 profile=1
        a=rtcp-fb:40 goog-remb
        a=rtcp-fb:40 transport-cc
        a=rtcp-fb:40 ccm fir
        a=rtcp-fb:40 nack
        a=rtcp-fb:40 nack pli
        a=rtpmap:41 rtx/90000
        a=fmtp:41 apt=40
        a=rtpmap:42 AV1/90000
        a=fmtp:42 profile=2
        a=rtcp-fb:42 goog-remb
        a=rtcp-fb:42 transport-cc
        a=rtcp-fb:42 ccm fir
        a=rtcp-fb:42 nack
        a=rtcp-fb:42 nack pli
        a=rtpmap:43 rtx/90000
        a=fmtp:43 apt=42
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:1
        a=ice-ufrag:abcdefgh
        a=ice-pwd:abcdefghijklmnopqrstuvwx
        a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
        a=setup:active
        a=rtcp-mux
        a=rtcp-mux-only
        a=recvonly
        a=rtcp-rsize
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1
        a=rtcp-fb:111 transport-cc
        a=rtcp-fb:111 nack
        """)

    /// Chromium 156 sends its camera.
    static let chromiumAnswer = SDPFixture(
        "chromiumAnswer",
        """
        v=0
        o=- 125371855274854169 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=extmap-allow-mixed
        a=msid-semantic: WMS cf5b6476-af0e-46db-8539-a392eead04f4
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 101 102 103 110 112 113 114 115 116 123 124 127 35 38 39
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:2mq7
        a=ice-pwd:HveXAAY/TgXDnOkPyAd8vXRF
        a=ice-options:trickle
        a=fingerprint:sha-256 8D:F3:20:5A:26:A3:EA:DC:36:91:01:FC:9F:0B:B2:48:29:AD:EB:9C:44:2D:E3:C0:4B:C4:70:E4:62:C2:44:BC
        a=setup:passive
        a=mid:0
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=sendonly
        a=msid:cf5b6476-af0e-46db-8539-a392eead04f4 e3d7a04b-7df3-4c3d-94ca-ba381b5f96de
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 goog-remb
        a=rtcp-fb:96 transport-cc
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtpmap:97 rtx/90000
        a=fmtp:97 apt=96
        a=rtpmap:98 H264/90000
        a=rtcp-fb:98 goog-remb
        a=rtcp-fb:98 transport-cc
        a=rtcp-fb:98 ccm fir
        a=rtcp-fb:98 nack
        a=rtcp-fb:98 nack pli
        a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
        a=rtpmap:99 rtx/90000
        a=fmtp:99 apt=98
        a=rtpmap:100 H264/90000
        a=rtcp-fb:100 goog-remb
        a=rtcp-fb:100 transport-cc
        a=rtcp-fb:100 ccm fir
        a=rtcp-fb:100 nack
        a=rtcp-fb:100 nack pli
        a=fmtp:100 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
        a=rtpmap:101 rtx/90000
        a=fmtp:101 apt=100
        a=rtpmap:102 H264/90000
        a=rtcp-fb:102 goog-remb
        a=rtcp-fb:102 transport-cc
        a=rtcp-fb:102 ccm fir
        a=rtcp-fb:102 nack
        a=rtcp-fb:102 nack pli
        a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f
        a=rtpmap:103 rtx/90000
        a=fmtp:103 apt=102
        a=rtpmap:110 H264/90000
        a=rtcp-fb:110 goog-remb
        a=rtcp-fb:110 transport-cc
        a=rtcp-fb:110 ccm fir
        a=rtcp-fb:110 nack
        a=rtcp-fb:110 nack pli
        a=fmtp:110 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f
        a=rtpmap:112 rtx/90000
        a=fmtp:112 apt=110
        a=rtpmap:113 H264/90000
        a=rtcp-fb:113 goog-remb
        a=rtcp-fb:113 transport-cc
        a=rtcp-fb:113 ccm fir
        a=rtcp-fb:113 nack
        a=rtcp-fb:113 nack pli
        a=fmtp:113 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
        a=rtpmap:114 rtx/90000
        a=fmtp:114 apt=113
        a=rtpmap:115 H264/90000
        a=rtcp-fb:115 goog-remb
        a=rtcp-fb:115 transport-cc
        a=rtcp-fb:115 ccm fir
        a=rtcp-fb:115 nack
        a=rtcp-fb:115 nack pli
        a=fmtp:115 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=4d001f
        a=rtpmap:116 rtx/90000
        a=fmtp:116 apt=115
        a=rtpmap:123 VP9/90000
        a=rtcp-fb:123 goog-remb
        a=rtcp-fb:123 transport-cc
        a=rtcp-fb:123 ccm fir
        a=rtcp-fb:123 nack
        a=rtcp-fb:123 nack pli
        a=fmtp:123 profile-id=0
        a=rtpmap:124 rtx/90000
        a=fmtp:124 apt=123
        a=rtpmap:127 VP9/90000
        a=rtcp-fb:127 goog-remb
        a=rtcp-fb:127 transport-cc
        a=rtcp-fb:127 ccm fir
        a=rtcp-fb:127 nack
        a=rtcp-fb:127 nack pli
        a=fmtp:127 profile-id=2
        a=rtpmap:35 rtx/90000
        a=fmtp:35 apt=127
        a=rtpmap:38 AV1/90000
        a=rtcp-fb:38 goog-remb
        a=rtcp-fb:38 transport-cc
        a=rtcp-fb:38 ccm fir
        a=rtcp-fb:38 nack
        a=rtcp-fb:38 nack pli
        a=fmtp:38 level-idx=5;profile=0;tier=0
        a=rtpmap:39 rtx/90000
        a=fmtp:39 apt=38
        a=ssrc-group:FID 2084135854 3800452276
        a=ssrc:2084135854 cname:Er8YuDLWFAobW6Cp
        a=ssrc:3800452276 cname:Er8YuDLWFAobW6Cp
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:2mq7
        a=ice-pwd:HveXAAY/TgXDnOkPyAd8vXRF
        a=ice-options:trickle
        a=fingerprint:sha-256 8D:F3:20:5A:26:A3:EA:DC:36:91:01:FC:9F:0B:B2:48:29:AD:EB:9C:44:2D:E3:C0:4B:C4:70:E4:62:C2:44:BC
        a=setup:passive
        a=mid:1
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=sendonly
        a=msid:cf5b6476-af0e-46db-8539-a392eead04f4 c9539cfb-e0be-4a0a-98b7-2d17a8f8190a
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:111 opus/48000/2
        a=rtcp-fb:111 transport-cc
        a=fmtp:111 minptime=10;useinbandfec=1
        a=ssrc:3006036827 cname:Er8YuDLWFAobW6Cp
        """)

    /// `probe publish` offers Opus and VP8.
    static let publishOffer = SDPFixture(
        "publishOffer",
        """
        v=0
        o=- 9141413035284220404 1 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=extmap-allow-mixed
        a=ice-options:trickle ice2
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=ice-ufrag:abcdefgh
        a=ice-pwd:abcdefghijklmnopqrstuvwx
        a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
        a=setup:active
        a=rtcp-mux
        a=rtcp-mux-only
        a=candidate:1 1 udp 2130706431 192.0.2.2 5000 typ host
        a=candidate:2 1 udp 2130706175 127.0.0.1 5000 typ host
        a=candidate:3 1 udp 2130705919 ::1 5000 typ host
        a=end-of-candidates
        a=sendonly
        a=rtcp-rsize
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;useinbandfec=1;stereo=1
        a=rtcp-fb:111 transport-cc
        a=rtcp-fb:111 nack
        a=msid:demo audio
        a=ssrc:1248611811 cname:GQsZWFlOIOvixhOx
        m=video 9 UDP/TLS/RTP/SAVPF 96 97
        c=IN IP4 0.0.0.0
        a=mid:1
        a=ice-ufrag:abcdefgh
        a=ice-pwd:abcdefghijklmnopqrstuvwx
        a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
        a=setup:active
        a=rtcp-mux
        a=rtcp-mux-only
        a=sendonly
        a=rtcp-rsize
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 goog-remb
        a=rtcp-fb:96 transport-cc
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtpmap:97 rtx/90000
        a=fmtp:97 apt=96
        a=msid:demo video
        a=ssrc-group:FID 3225982493 1779167656
        a=ssrc:3225982493 cname:GQsZWFlOIOvixhOx
        a=ssrc:1779167656 cname:GQsZWFlOIOvixhOx
        """)

    /// Firefox 153 accepts.
    static let firefoxAnswer = SDPFixture(
        "firefoxAnswer",
        """
        v=0
        o=mozilla...THIS_IS_SDPARTA-99.0 8109241929979780537 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=sendrecv
        a=extmap-allow-mixed
        a=fingerprint:sha-256 97:B1:04:53:6F:81:D3:6A:17:EF:5C:BB:2E:F7:D2:3D:8C:03:05:4F:F8:97:46:78:F8:59:31:43:B4:8F:B5:B5
        a=group:BUNDLE 0 1
        a=ice-options:trickle
        a=msid-semantic:WMS *
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=recvonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap-allow-mixed
        a=fmtp:111 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=ice-pwd:40f33f0c12ed232ff2b0d52b409db728
        a=ice-ufrag:4f5aecdd
        a=mid:0
        a=rtcp-fb:111 transport-cc
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=setup:passive
        a=ssrc:3746196659 cname:{3c32e2aa-6280-4a8a-a749-23c398522c91}
        m=video 9 UDP/TLS/RTP/SAVPF 96 97
        c=IN IP4 0.0.0.0
        a=recvonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap-allow-mixed
        a=fmtp:96 max-fs=12288;max-fr=60
        a=fmtp:97 apt=96
        a=ice-pwd:40f33f0c12ed232ff2b0d52b409db728
        a=ice-ufrag:4f5aecdd
        a=mid:1
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 goog-remb
        a=rtcp-fb:96 transport-cc
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:96 VP8/90000
        a=rtpmap:97 rtx/90000
        a=setup:passive
        a=ssrc:4100774861 cname:{3c32e2aa-6280-4a8a-a749-23c398522c91}
        """)
}
