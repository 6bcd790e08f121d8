// Offers captured from GStreamer 1.28.7: audio is bundle-only with port 0, transport lines in each section, no MID
// extension, RED and FEC beside each codec.

enum GStreamerOffers {
    /// `whipclientsink` with all its codecs.
    static let publishingAll = SDPFixture(
        "publishingAll",
        """
        v=0
        o=- 6103392073296292303 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120 121
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:3t2zgB71WkYiuAHAY7s2Uwieu1KJz1eh
        a=ice-pwd:Kgymdja0RJii3b+/7louzNFkDmSjDVDO
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:97 H264/90000
        a=rtcp-fb:97 nack
        a=rtcp-fb:97 nack pli
        a=rtcp-fb:97 ccm fir
        a=rtcp-fb:97 transport-cc
        a=fmtp:97 packetization-mode=1;profile-level-id=42c015;level-asymmetry-allowed=1
        a=rtpmap:98 VP9/90000
        a=rtcp-fb:98 nack
        a=rtcp-fb:98 nack pli
        a=rtcp-fb:98 ccm fir
        a=rtcp-fb:98 transport-cc
        a=rtpmap:99 H265/90000
        a=rtcp-fb:99 nack
        a=rtcp-fb:99 nack pli
        a=rtcp-fb:99 ccm fir
        a=rtcp-fb:99 transport-cc
        a=fmtp:99 profile-id=1;tier-flag=0;level-id=63
        a=rtpmap:100 AV1/90000
        a=rtcp-fb:100 nack
        a=rtcp-fb:100 nack pli
        a=rtcp-fb:100 ccm fir
        a=rtcp-fb:100 transport-cc
        a=rtpmap:102 red/90000
        a=rtpmap:103 ulpfec/90000
        a=rtpmap:104 rtx/90000
        a=fmtp:104 apt=96
        a=rtpmap:105 rtx/90000
        a=fmtp:105 apt=102
        a=rtpmap:106 red/90000
        a=rtpmap:107 ulpfec/90000
        a=rtpmap:108 rtx/90000
        a=fmtp:108 apt=97
        a=rtpmap:109 rtx/90000
        a=fmtp:109 apt=106
        a=rtpmap:110 red/90000
        a=rtpmap:111 ulpfec/90000
        a=rtpmap:112 rtx/90000
        a=fmtp:112 apt=98
        a=rtpmap:113 rtx/90000
        a=fmtp:113 apt=110
        a=rtpmap:114 red/90000
        a=rtpmap:115 ulpfec/90000
        a=rtpmap:116 rtx/90000
        a=fmtp:116 apt=99
        a=rtpmap:117 rtx/90000
        a=fmtp:117 apt=114
        a=rtpmap:118 red/90000
        a=rtpmap:119 ulpfec/90000
        a=rtpmap:120 rtx/90000
        a=fmtp:120 apt=100
        a=rtpmap:121 rtx/90000
        a=fmtp:121 apt=118
        a=ssrc-group:FID 3191748765 2244619291
        a=ssrc:3191748765 msid:user4070848215@host-e0c7e1da webrtctransceiver0
        a=ssrc:3191748765 cname:user4070848215@host-e0c7e1da
        a=ssrc:3191748765 msid:user4070848215@host-e0c7e1da webrtctransceiver0
        a=ssrc:3191748765 cname:user4070848215@host-e0c7e1da
        a=ssrc:3191748765 msid:user4070848215@host-e0c7e1da webrtctransceiver0
        a=ssrc:3191748765 cname:user4070848215@host-e0c7e1da
        a=ssrc:3191748765 msid:user4070848215@host-e0c7e1da webrtctransceiver0
        a=ssrc:3191748765 cname:user4070848215@host-e0c7e1da
        a=ssrc:3191748765 msid:user4070848215@host-e0c7e1da webrtctransceiver0
        a=ssrc:3191748765 cname:user4070848215@host-e0c7e1da
        a=ssrc:2244619291 msid:user4070848215@host-e0c7e1da webrtctransceiver0
        a=ssrc:2244619291 cname:user4070848215@host-e0c7e1da
        a=mid:video0
        a=fingerprint:sha-256 1B:AF:E9:3C:EB:46:53:F7:EB:BF:64:F1:65:77:03:99:28:8A:AE:9F:BB:01:B9:B0:7D:B0:87:E0:CA:D7:B5:55
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 46266 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 37835 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 45445 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 38933 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 48761 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 36641 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 101
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:3t2zgB71WkYiuAHAY7s2Uwieu1KJz1eh
        a=ice-pwd:Kgymdja0RJii3b+/7louzNFkDmSjDVDO
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:101 OPUS/48000/2
        a=rtcp-fb:101 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=fmtp:101 sprop-stereo=1;sprop-maxcapturerate=48000
        a=ssrc:2118719095 msid:user4070848215@host-e0c7e1da webrtctransceiver1
        a=ssrc:2118719095 cname:user4070848215@host-e0c7e1da
        a=mid:audio1
        a=fingerprint:sha-256 1B:AF:E9:3C:EB:46:53:F7:EB:BF:64:F1:65:77:03:99:28:8A:AE:9F:BB:01:B9:B0:7D:B0:87:E0:CA:D7:B5:55
        a=rtcp-mux-only
        """)

    /// … with one codec each.
    static let publishingVP8 = SDPFixture(
        "publishingVP8",
        """
        v=0
        o=- 1327668495556647162 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96 98 99 100 101
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:Xw/9sUsKlvb9DQnaukm4c8Ls/83zuXDq
        a=ice-pwd:il6laI+wLHGAlPC3h5H+qd75mNDZk056
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:98 red/90000
        a=rtpmap:99 ulpfec/90000
        a=rtpmap:100 rtx/90000
        a=fmtp:100 apt=96
        a=rtpmap:101 rtx/90000
        a=fmtp:101 apt=98
        a=ssrc-group:FID 2956843877 3050928044
        a=ssrc:2956843877 msid:user1081469956@host-625cfe69 webrtctransceiver0
        a=ssrc:2956843877 cname:user1081469956@host-625cfe69
        a=ssrc:3050928044 msid:user1081469956@host-625cfe69 webrtctransceiver0
        a=ssrc:3050928044 cname:user1081469956@host-625cfe69
        a=mid:video0
        a=fingerprint:sha-256 73:71:B5:9A:84:57:DC:E4:C4:32:12:A6:C6:F7:45:DE:C6:67:78:95:0D:C5:78:4F:1D:BC:04:00:9D:C8:59:EE
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 43554 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 43157 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 54961 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 37529 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 59925 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 38641 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 97
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:Xw/9sUsKlvb9DQnaukm4c8Ls/83zuXDq
        a=ice-pwd:il6laI+wLHGAlPC3h5H+qd75mNDZk056
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:97 OPUS/48000/2
        a=rtcp-fb:97 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=fmtp:97 sprop-stereo=1;sprop-maxcapturerate=48000
        a=ssrc:1677455142 msid:user1081469956@host-625cfe69 webrtctransceiver1
        a=ssrc:1677455142 cname:user1081469956@host-625cfe69
        a=mid:audio1
        a=fingerprint:sha-256 73:71:B5:9A:84:57:DC:E4:C4:32:12:A6:C6:F7:45:DE:C6:67:78:95:0D:C5:78:4F:1D:BC:04:00:9D:C8:59:EE
        a=rtcp-mux-only
        """)

    /// VP9.
    static let publishingVP9 = SDPFixture(
        "publishingVP9",
        """
        v=0
        o=- 7704293013781830050 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96 98 99 100 101
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:T1Fd/HHeeRP8W044eV4TIXab+e5tLOI1
        a=ice-pwd:beR9gqcxReYmW4l/PbOGkeoZct/L8WWH
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:96 VP9/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:98 red/90000
        a=rtpmap:99 ulpfec/90000
        a=rtpmap:100 rtx/90000
        a=fmtp:100 apt=96
        a=rtpmap:101 rtx/90000
        a=fmtp:101 apt=98
        a=ssrc-group:FID 1142477325 2992714769
        a=ssrc:1142477325 msid:user3453075431@host-4c9b7dff webrtctransceiver0
        a=ssrc:1142477325 cname:user3453075431@host-4c9b7dff
        a=ssrc:2992714769 msid:user3453075431@host-4c9b7dff webrtctransceiver0
        a=ssrc:2992714769 cname:user3453075431@host-4c9b7dff
        a=mid:video0
        a=fingerprint:sha-256 B9:79:ED:3B:C8:43:04:96:AF:30:4D:A7:3A:A7:8B:8C:A2:42:38:FE:CB:B0:51:DB:9F:D1:AB:E8:BD:03:BE:21
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 59244 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 46173 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 47664 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 46167 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 37778 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 33841 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 97
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:T1Fd/HHeeRP8W044eV4TIXab+e5tLOI1
        a=ice-pwd:beR9gqcxReYmW4l/PbOGkeoZct/L8WWH
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:97 OPUS/48000/2
        a=rtcp-fb:97 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=fmtp:97 sprop-stereo=1;sprop-maxcapturerate=48000
        a=ssrc:2785122299 msid:user3453075431@host-4c9b7dff webrtctransceiver1
        a=ssrc:2785122299 cname:user3453075431@host-4c9b7dff
        a=mid:audio1
        a=fingerprint:sha-256 B9:79:ED:3B:C8:43:04:96:AF:30:4D:A7:3A:A7:8B:8C:A2:42:38:FE:CB:B0:51:DB:9F:D1:AB:E8:BD:03:BE:21
        a=rtcp-mux-only
        """)

    /// AV1.
    static let publishingAV1 = SDPFixture(
        "publishingAV1",
        """
        v=0
        o=- 7398759891111354744 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96 98 99 100 101
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:mLKhPZ1WinoOpdIUvw1XyXt1H5NQZEZ5
        a=ice-pwd:AW4PgssO6K9o6SpXw0Bq2U+tjpiczFMb
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:96 AV1/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=rtpmap:98 red/90000
        a=rtpmap:99 ulpfec/90000
        a=rtpmap:100 rtx/90000
        a=fmtp:100 apt=96
        a=rtpmap:101 rtx/90000
        a=fmtp:101 apt=98
        a=ssrc-group:FID 3537725355 958820554
        a=ssrc:3537725355 msid:user1894741799@host-cf780150 webrtctransceiver0
        a=ssrc:3537725355 cname:user1894741799@host-cf780150
        a=ssrc:958820554 msid:user1894741799@host-cf780150 webrtctransceiver0
        a=ssrc:958820554 cname:user1894741799@host-cf780150
        a=mid:video0
        a=fingerprint:sha-256 8F:20:94:65:4F:6A:DA:40:83:23:70:2A:9B:9D:70:EC:4D:89:70:8D:AC:A9:43:DD:27:69:66:DA:D8:A7:60:99
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 60727 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 33543 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 44346 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 41999 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 57762 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 41887 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 97
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:mLKhPZ1WinoOpdIUvw1XyXt1H5NQZEZ5
        a=ice-pwd:AW4PgssO6K9o6SpXw0Bq2U+tjpiczFMb
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:97 OPUS/48000/2
        a=rtcp-fb:97 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=fmtp:97 sprop-stereo=1;sprop-maxcapturerate=48000
        a=ssrc:2551413694 msid:user1894741799@host-cf780150 webrtctransceiver1
        a=ssrc:2551413694 cname:user1894741799@host-cf780150
        a=mid:audio1
        a=fingerprint:sha-256 8F:20:94:65:4F:6A:DA:40:83:23:70:2A:9B:9D:70:EC:4D:89:70:8D:AC:A9:43:DD:27:69:66:DA:D8:A7:60:99
        a=rtcp-mux-only
        """)

    /// H.264.
    static let publishingH264 = SDPFixture(
        "publishingH264",
        """
        v=0
        o=- 6664186940785691360 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96 98 99 100 101
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:rt4Y584SNISiBT+C6BoOqVUUUcrafQH9
        a=ice-pwd:QN6fjwxFTRljobKeoBDXh2mlNoSH6G5V
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=fmtp:96 packetization-mode=1;profile-level-id=42c015;level-asymmetry-allowed=1
        a=rtpmap:98 red/90000
        a=rtpmap:99 ulpfec/90000
        a=rtpmap:100 rtx/90000
        a=fmtp:100 apt=96
        a=rtpmap:101 rtx/90000
        a=fmtp:101 apt=98
        a=ssrc-group:FID 2753255981 1078026153
        a=ssrc:2753255981 msid:user228268601@host-d27ac939 webrtctransceiver0
        a=ssrc:2753255981 cname:user228268601@host-d27ac939
        a=ssrc:1078026153 msid:user228268601@host-d27ac939 webrtctransceiver0
        a=ssrc:1078026153 cname:user228268601@host-d27ac939
        a=mid:video0
        a=fingerprint:sha-256 FF:49:F4:6D:2F:08:82:7D:83:6E:39:A2:F8:1B:F5:C0:79:6C:8D:71:84:D5:EC:30:5C:D0:7E:9D:BF:2C:8A:60
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 38028 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 45475 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 54214 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 39639 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 55737 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 39641 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 97
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:rt4Y584SNISiBT+C6BoOqVUUUcrafQH9
        a=ice-pwd:QN6fjwxFTRljobKeoBDXh2mlNoSH6G5V
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:97 OPUS/48000/2
        a=rtcp-fb:97 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=fmtp:97 sprop-stereo=1;sprop-maxcapturerate=48000
        a=ssrc:3934307050 msid:user228268601@host-d27ac939 webrtctransceiver1
        a=ssrc:3934307050 cname:user228268601@host-d27ac939
        a=mid:audio1
        a=fingerprint:sha-256 FF:49:F4:6D:2F:08:82:7D:83:6E:39:A2:F8:1B:F5:C0:79:6C:8D:71:84:D5:EC:30:5C:D0:7E:9D:BF:2C:8A:60
        a=rtcp-mux-only
        """)

    /// H.265.
    static let publishingH265 = SDPFixture(
        "publishingH265",
        """
        v=0
        o=- 4877187925963917992 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96 98 99 100 101
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:wAJnxVFq+b513tcVTIb88Q7cHC1HuXkB
        a=ice-pwd:tzeITpqTOj9Ure+Q+2D45vtyXwAXZ5R+
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:96 H265/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=fmtp:96 profile-id=1;tier-flag=0;level-id=63
        a=rtpmap:98 red/90000
        a=rtpmap:99 ulpfec/90000
        a=rtpmap:100 rtx/90000
        a=fmtp:100 apt=96
        a=rtpmap:101 rtx/90000
        a=fmtp:101 apt=98
        a=ssrc-group:FID 1185154323 2509796993
        a=ssrc:1185154323 msid:user3608651365@host-1ed9952b webrtctransceiver0
        a=ssrc:1185154323 cname:user3608651365@host-1ed9952b
        a=ssrc:2509796993 msid:user3608651365@host-1ed9952b webrtctransceiver0
        a=ssrc:2509796993 cname:user3608651365@host-1ed9952b
        a=mid:video0
        a=fingerprint:sha-256 1F:C7:53:27:50:07:D6:44:92:3E:71:FA:A3:75:8F:16:E4:88:5A:CF:9D:1A:FC:B3:34:C5:02:3D:FA:B8:7D:75
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 49511 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 44755 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 39545 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 42637 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 59183 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 46049 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 97
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:wAJnxVFq+b513tcVTIb88Q7cHC1HuXkB
        a=ice-pwd:tzeITpqTOj9Ure+Q+2D45vtyXwAXZ5R+
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:97 OPUS/48000/2
        a=rtcp-fb:97 transport-cc
        a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=fmtp:97 sprop-stereo=1;sprop-maxcapturerate=48000
        a=ssrc:3985668741 msid:user3608651365@host-1ed9952b webrtctransceiver1
        a=ssrc:3985668741 cname:user3608651365@host-1ed9952b
        a=mid:audio1
        a=fingerprint:sha-256 1F:C7:53:27:50:07:D6:44:92:3E:71:FA:A3:75:8F:16:E4:88:5A:CF:9D:1A:FC:B3:34:C5:02:3D:FA:B8:7D:75
        a=rtcp-mux-only
        """)

    /// The older `whipsink`: no RTX, parameter sets in the offer.
    static let whipsink = SDPFixture(
        "whipsink",
        """
        v=0
        o=- 2155934066246877324 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:qF/s2qzjnNlY0p3+1/I+WSoK6vAERLKg
        a=ice-pwd:GRkb/WuXIN3cDy8DC3gzd4El+p5tr57w
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=framerate:30
        a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAHtoCgL/lwFqDAwNSgAAAAwCAAAAeR4sXUA==,aM48gA==;profile-level-id=42c01e;level-asymmetry-allowed=1
        a=ssrc:1618085205 msid:user593485929@host-77f7eef webrtctransceiver0
        a=ssrc:1618085205 cname:user593485929@host-77f7eef
        a=mid:video0
        a=fingerprint:sha-256 91:C3:70:E6:2A:FE:5F:7C:C8:27:04:3C:EC:99:EE:C6:55:75:14:1F:21:9A:13:41:30:EC:52:BA:B7:0D:AD:00
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 55903 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 40949 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 47458 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 45333 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 49916 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 42015 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 97
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:qF/s2qzjnNlY0p3+1/I+WSoK6vAERLKg
        a=ice-pwd:GRkb/WuXIN3cDy8DC3gzd4El+p5tr57w
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:97 OPUS/48000/2
        a=rtcp-fb:97 transport-cc
        a=fmtp:97 sprop-stereo=1;sprop-maxcapturerate=48000
        a=ssrc:356886099 msid:user593485929@host-77f7eef webrtctransceiver1
        a=ssrc:356886099 cname:user593485929@host-77f7eef
        a=mid:audio1
        a=fingerprint:sha-256 91:C3:70:E6:2A:FE:5F:7C:C8:27:04:3C:EC:99:EE:C6:55:75:14:1F:21:9A:13:41:30:EC:52:BA:B7:0D:AD:00
        a=rtcp-mux-only
        """)

    /// `whepclientsrc`: H.264 without a packetization-mode, VP9 and AV1 without a profile, Opus without channels.
    static let viewing = SDPFixture(
        "viewing",
        """
        v=0
        o=- 1867188131499484077 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120 121
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:pVgs4+9WHxwFN3Df39pJsY47Kt9i8rZB
        a=ice-pwd:2Yvzhd4hOfBEVoh+pUP3gB0hJIi2VSoH
        a=rtcp-mux
        a=rtcp-rsize
        a=recvonly
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=rtpmap:97 H264/90000
        a=rtcp-fb:97 nack
        a=rtcp-fb:97 nack pli
        a=rtcp-fb:97 ccm fir
        a=rtcp-fb:97 transport-cc
        a=fmtp:97 profile-level-id=42e016
        a=rtpmap:98 VP9/90000
        a=rtcp-fb:98 nack
        a=rtcp-fb:98 nack pli
        a=rtcp-fb:98 ccm fir
        a=rtcp-fb:98 transport-cc
        a=rtpmap:99 H265/90000
        a=rtcp-fb:99 nack
        a=rtcp-fb:99 nack pli
        a=rtcp-fb:99 ccm fir
        a=rtcp-fb:99 transport-cc
        a=rtpmap:100 AV1/90000
        a=rtcp-fb:100 nack
        a=rtcp-fb:100 nack pli
        a=rtcp-fb:100 ccm fir
        a=rtcp-fb:100 transport-cc
        a=rtpmap:102 red/90000
        a=rtpmap:103 ulpfec/90000
        a=rtpmap:104 rtx/90000
        a=fmtp:104 apt=96
        a=rtpmap:105 rtx/90000
        a=fmtp:105 apt=102
        a=rtpmap:106 red/90000
        a=rtpmap:107 ulpfec/90000
        a=rtpmap:108 rtx/90000
        a=fmtp:108 apt=97
        a=rtpmap:109 rtx/90000
        a=fmtp:109 apt=106
        a=rtpmap:110 red/90000
        a=rtpmap:111 ulpfec/90000
        a=rtpmap:112 rtx/90000
        a=fmtp:112 apt=98
        a=rtpmap:113 rtx/90000
        a=fmtp:113 apt=110
        a=rtpmap:114 red/90000
        a=rtpmap:115 ulpfec/90000
        a=rtpmap:116 rtx/90000
        a=fmtp:116 apt=99
        a=rtpmap:117 rtx/90000
        a=fmtp:117 apt=114
        a=rtpmap:118 red/90000
        a=rtpmap:119 ulpfec/90000
        a=rtpmap:120 rtx/90000
        a=fmtp:120 apt=100
        a=rtpmap:121 rtx/90000
        a=fmtp:121 apt=118
        a=mid:video0
        a=fingerprint:sha-256 C3:B5:81:6B:EF:3A:A9:67:BF:B1:A5:48:E6:62:D3:AC:EC:2C:BF:73:5E:EE:99:55:5E:3B:4B:DF:DE:8D:F6:1F
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 37592 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 41923 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 51971 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 39075 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 38986 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 33741 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 101 122 123 124 125
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:pVgs4+9WHxwFN3Df39pJsY47Kt9i8rZB
        a=ice-pwd:2Yvzhd4hOfBEVoh+pUP3gB0hJIi2VSoH
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=recvonly
        a=rtpmap:101 OPUS/48000
        a=rtcp-fb:101 nack
        a=rtcp-fb:101 transport-cc
        a=rtpmap:122 red/48000
        a=rtpmap:123 ulpfec/48000
        a=rtpmap:124 rtx/48000
        a=fmtp:124 apt=101
        a=rtpmap:125 rtx/48000
        a=fmtp:125 apt=122
        a=mid:audio1
        a=fingerprint:sha-256 C3:B5:81:6B:EF:3A:A9:67:BF:B1:A5:48:E6:62:D3:AC:EC:2C:BF:73:5E:EE:99:55:5E:3B:4B:DF:DE:8D:F6:1F
        a=rtcp-mux-only
        """)

    /// The same from another run.
    static let viewingAgain = SDPFixture(
        "viewingAgain",
        """
        v=0
        o=- 7398731537294805899 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120 121
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:xqHiNZtBjF8nBnYlbxxf974b1SBPNf9+
        a=ice-pwd:ziBlFMy+aQ8ltaHjqyTP2pa14icP3IiH
        a=rtcp-mux
        a=rtcp-rsize
        a=recvonly
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=rtpmap:97 H264/90000
        a=rtcp-fb:97 nack
        a=rtcp-fb:97 nack pli
        a=rtcp-fb:97 ccm fir
        a=rtcp-fb:97 transport-cc
        a=fmtp:97 profile-level-id=42e016
        a=rtpmap:98 VP9/90000
        a=rtcp-fb:98 nack
        a=rtcp-fb:98 nack pli
        a=rtcp-fb:98 ccm fir
        a=rtcp-fb:98 transport-cc
        a=rtpmap:99 H265/90000
        a=rtcp-fb:99 nack
        a=rtcp-fb:99 nack pli
        a=rtcp-fb:99 ccm fir
        a=rtcp-fb:99 transport-cc
        a=rtpmap:100 AV1/90000
        a=rtcp-fb:100 nack
        a=rtcp-fb:100 nack pli
        a=rtcp-fb:100 ccm fir
        a=rtcp-fb:100 transport-cc
        a=rtpmap:102 red/90000
        a=rtpmap:103 ulpfec/90000
        a=rtpmap:104 rtx/90000
        a=fmtp:104 apt=96
        a=rtpmap:105 rtx/90000
        a=fmtp:105 apt=102
        a=rtpmap:106 red/90000
        a=rtpmap:107 ulpfec/90000
        a=rtpmap:108 rtx/90000
        a=fmtp:108 apt=97
        a=rtpmap:109 rtx/90000
        a=fmtp:109 apt=106
        a=rtpmap:110 red/90000
        a=rtpmap:111 ulpfec/90000
        a=rtpmap:112 rtx/90000
        a=fmtp:112 apt=98
        a=rtpmap:113 rtx/90000
        a=fmtp:113 apt=110
        a=rtpmap:114 red/90000
        a=rtpmap:115 ulpfec/90000
        a=rtpmap:116 rtx/90000
        a=fmtp:116 apt=99
        a=rtpmap:117 rtx/90000
        a=fmtp:117 apt=114
        a=rtpmap:118 red/90000
        a=rtpmap:119 ulpfec/90000
        a=rtpmap:120 rtx/90000
        a=fmtp:120 apt=100
        a=rtpmap:121 rtx/90000
        a=fmtp:121 apt=118
        a=mid:video0
        a=fingerprint:sha-256 0C:53:A4:48:EB:8A:56:5A:E9:6A:50:9B:CE:6E:BB:A0:60:AE:EC:DE:5D:A4:A0:5A:11:66:4E:C8:BC:57:CC:70
        a=rtcp-mux-only
        a=candidate:1 1 UDP 2015363327 192.0.2.3 58800 typ host
        a=candidate:2 1 TCP 1015021823 192.0.2.3 9 typ host tcptype active
        a=candidate:3 1 TCP 1010827519 192.0.2.3 39979 typ host tcptype passive
        a=candidate:4 1 UDP 2015363583 192.0.2.2 50855 typ host
        a=candidate:5 1 TCP 1015022079 192.0.2.2 9 typ host tcptype active
        a=candidate:6 1 TCP 1010827775 192.0.2.2 39367 typ host tcptype passive
        a=candidate:7 1 UDP 2015363839 192.0.2.1 38845 typ host
        a=candidate:8 1 TCP 1015022335 192.0.2.1 9 typ host tcptype active
        a=candidate:9 1 TCP 1010828031 192.0.2.1 46165 typ host tcptype passive
        a=end-of-candidates
        m=audio 0 UDP/TLS/RTP/SAVPF 101 122 123 124 125
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:xqHiNZtBjF8nBnYlbxxf974b1SBPNf9+
        a=ice-pwd:ziBlFMy+aQ8ltaHjqyTP2pa14icP3IiH
        a=bundle-only
        a=rtcp-mux
        a=rtcp-rsize
        a=recvonly
        a=rtpmap:101 OPUS/48000
        a=rtcp-fb:101 nack
        a=rtcp-fb:101 transport-cc
        a=rtpmap:122 red/48000
        a=rtpmap:123 ulpfec/48000
        a=rtpmap:124 rtx/48000
        a=fmtp:124 apt=101
        a=rtpmap:125 rtx/48000
        a=fmtp:125 apt=122
        a=mid:audio1
        a=fingerprint:sha-256 0C:53:A4:48:EB:8A:56:5A:E9:6A:50:9B:CE:6E:BB:A0:60:AE:EC:DE:5D:A4:A0:5A:11:66:4E:C8:BC:57:CC:70
        a=rtcp-mux-only
        """)
}
