// Publishers that are no browsers. FFmpeg and aiortc as captured, the others written after their shape.
// Lines end in LF here; `crlf` gives what went over the wire.

enum EncoderPublishing {
    /// FFmpeg 9's WHIP muxer: setup:passive, no candidates, no header extensions.
    static let ffmpeg = SDPFixture(
        "ffmpeg",
        """
        v=0
        o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1
        s=FFmpegPublishSession
        t=0 0
        a=group:BUNDLE 0 1
        a=extmap-allow-mixed
        a=msid-semantic: WMS
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=ice-ufrag:7364277a
        a=ice-pwd:d0e645d8cfa64bf68812842e8995546f
        a=fingerprint:sha-256 5B:03:10:1F:DC:DB:0B:6C:A0:33:24:51:99:B3:AE:7F:EF:EB:63:9B:AA:A8:E1:0E:0F:21:CB:AB:F6:C8:F2:2C
        a=setup:passive
        a=mid:0
        a=sendonly
        a=msid:FFmpeg audio
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=ssrc:1281463763 cname:FFmpeg
        a=ssrc:1281463763 msid:FFmpeg audio
        m=video 9 UDP/TLS/RTP/SAVPF 106 105
        c=IN IP4 0.0.0.0
        a=ice-ufrag:7364277a
        a=ice-pwd:d0e645d8cfa64bf68812842e8995546f
        a=fingerprint:sha-256 5B:03:10:1F:DC:DB:0B:6C:A0:33:24:51:99:B3:AE:7F:EF:EB:63:9B:AA:A8:E1:0E:0F:21:CB:AB:F6:C8:F2:2C
        a=setup:passive
        a=mid:1
        a=sendonly
        a=msid:FFmpeg video
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:106 H264/90000
        a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001e
        a=rtcp-fb:106 nack
        a=rtpmap:105 rtx/90000
        a=fmtp:105 apt=106
        a=ssrc-group:FID 1281463764 1281463765
        a=ssrc:1281463764 cname:FFmpeg
        a=ssrc:1281463764 msid:FFmpeg video
        """)

    /// The same with video only.
    static let ffmpegVideo = SDPFixture(
        "ffmpegVideo",
        """
        v=0
        o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1
        s=FFmpegPublishSession
        t=0 0
        a=group:BUNDLE 1
        a=extmap-allow-mixed
        a=msid-semantic: WMS
        m=video 9 UDP/TLS/RTP/SAVPF 106 105
        c=IN IP4 0.0.0.0
        a=ice-ufrag:deed9d86
        a=ice-pwd:5093d0e892f3e576a56c2c6f45cbe7e1
        a=fingerprint:sha-256 31:4E:57:FC:68:EF:CD:AD:C5:45:E4:EC:57:61:21:4A:73:5A:00:2F:0B:D4:58:A4:2A:9B:8D:E6:73:D0:16:EF
        a=setup:passive
        a=mid:1
        a=sendonly
        a=msid:FFmpeg video
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:106 H264/90000
        a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001e
        a=rtcp-fb:106 nack
        a=rtpmap:105 rtx/90000
        a=fmtp:105 apt=106
        a=ssrc-group:FID 447260779 447260780
        a=ssrc:447260779 cname:FFmpeg
        a=ssrc:447260779 msid:FFmpeg video
        """)

    /// aiortc 1.16: three fingerprints in each section.
    static let aiortcPublisher = SDPFixture(
        "aiortcPublisher",
        """
        v=0
        o=- 4004376728 4004376728 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=msid-semantic:WMS *
        m=video 52434 UDP/TLS/RTP/SAVPF 97 98 99 100 101 102
        c=IN IP4 192.0.2.2
        a=sendonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=mid:0
        a=msid:97ecefd2-3ec2-4835-ab91-60cba29a1b15 2585eede-ddfc-403e-b983-3fbab414b728
        a=rtcp:9 IN IP4 0.0.0.0
        a=rtcp-mux
        a=ssrc-group:FID 758678247 2171716050
        a=ssrc:758678247 cname:8f1adaad-32b6-4c31-a0bd-721642c375a2
        a=ssrc:2171716050 cname:8f1adaad-32b6-4c31-a0bd-721642c375a2
        a=rtpmap:97 VP8/90000
        a=rtcp-fb:97 nack
        a=rtcp-fb:97 nack pli
        a=rtcp-fb:97 goog-remb
        a=rtpmap:98 rtx/90000
        a=fmtp:98 apt=97
        a=rtpmap:99 H264/90000
        a=rtcp-fb:99 nack
        a=rtcp-fb:99 nack pli
        a=rtcp-fb:99 goog-remb
        a=fmtp:99 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
        a=rtpmap:100 rtx/90000
        a=fmtp:100 apt=99
        a=rtpmap:101 H264/90000
        a=rtcp-fb:101 nack
        a=rtcp-fb:101 nack pli
        a=rtcp-fb:101 goog-remb
        a=fmtp:101 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
        a=rtpmap:102 rtx/90000
        a=fmtp:102 apt=101
        a=candidate:f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 192.0.2.2 52434 typ host
        a=candidate:d0bcf3d9c29a2bc887618212a1623bfa 1 udp 2130706431 fd00::2 42368 typ host
        a=end-of-candidates
        a=ice-ufrag:ZZi7
        a=ice-pwd:BsO2whasnulLFzctHz3lM9
        a=fingerprint:sha-256 19:E9:7E:F1:9F:81:C8:2D:3E:B7:E1:A7:D7:A5:87:F3:82:E5:64:97:87:53:15:40:54:84:9E:D6:50:C7:0F:4B
        a=fingerprint:sha-384 91:08:BE:5E:80:92:4C:45:82:3D:72:B6:6B:7F:DD:0D:B0:29:54:74:E6:67:9C:84:8A:0A:8D:6B:62:06:3A:78:46:2D:4C:CC:71:6E:04:96:D0:1E:51:14:28:89:C6:2A
        a=fingerprint:sha-512 B6:89:73:AB:58:D3:5C:B3:0C:D9:B0:F4:16:55:2B:A6:DB:5F:AE:26:B3:F5:8C:AD:91:AD:37:26:39:FE:A7:E5:E4:91:A8:28:97:42:2E:63:01:49:5C:AE:ED:C7:B7:A1:F2:D3:CC:9A:28:53:43:28:0D:F2:89:14:34:8D:63:0F
        a=setup:actpass
        m=audio 57849 UDP/TLS/RTP/SAVPF 96 9 0 8
        c=IN IP4 192.0.2.2
        a=sendonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=mid:1
        a=msid:97ecefd2-3ec2-4835-ab91-60cba29a1b15 635a8a5b-fc71-4ae1-9786-bd7a407bf13c
        a=rtcp:9 IN IP4 0.0.0.0
        a=rtcp-mux
        a=ssrc:3592775443 cname:8f1adaad-32b6-4c31-a0bd-721642c375a2
        a=rtpmap:96 opus/48000/2
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=candidate:f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 192.0.2.2 57849 typ host
        a=candidate:d0bcf3d9c29a2bc887618212a1623bfa 1 udp 2130706431 fd00::2 56271 typ host
        a=end-of-candidates
        a=ice-ufrag:ZZi7
        a=ice-pwd:BsO2whasnulLFzctHz3lM9
        a=fingerprint:sha-256 19:E9:7E:F1:9F:81:C8:2D:3E:B7:E1:A7:D7:A5:87:F3:82:E5:64:97:87:53:15:40:54:84:9E:D6:50:C7:0F:4B
        a=fingerprint:sha-384 91:08:BE:5E:80:92:4C:45:82:3D:72:B6:6B:7F:DD:0D:B0:29:54:74:E6:67:9C:84:8A:0A:8D:6B:62:06:3A:78:46:2D:4C:CC:71:6E:04:96:D0:1E:51:14:28:89:C6:2A
        a=fingerprint:sha-512 B6:89:73:AB:58:D3:5C:B3:0C:D9:B0:F4:16:55:2B:A6:DB:5F:AE:26:B3:F5:8C:AD:91:AD:37:26:39:FE:A7:E5:E4:91:A8:28:97:42:2E:63:01:49:5C:AE:ED:C7:B7:A1:F2:D3:CC:9A:28:53:43:28:0D:F2:89:14:34:8D:63:0F
        a=setup:actpass
        """)

    /// After OBS (libdatachannel): transport at session level, a second group, OPUS in capitals.
    static let obs = SDPFixture(
        "obs",
        """
        v=0
        o=rtc 2890844526 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=group:LS 0 1
        a=msid-semantic:WMS *
        a=setup:actpass
        a=ice-ufrag:kR3w
        a=ice-pwd:ObsPassword01234567890abc
        a=ice-options:ice2,trickle
        a=fingerprint:sha-256 10:21:32:43:54:65:76:87:98:A9:BA:CB:DC:ED:FE:0F:10:21:32:43:54:65:76:87:98:A9:BA:CB:DC:ED:FE:0F
        m=audio 57249 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 198.51.100.7
        a=mid:0
        a=sendonly
        a=ssrc:1001 cname:obs
        a=ssrc:1001 msid:stream stream-audio
        a=msid:stream stream-audio
        a=rtcp-mux
        a=rtpmap:111 OPUS/48000/2
        a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
        a=candidate:1 1 UDP 2122317823 198.51.100.7 57249 typ host
        a=end-of-candidates
        m=video 57249 UDP/TLS/RTP/SAVPF 96 97
        c=IN IP4 198.51.100.7
        a=mid:1
        a=sendonly
        a=ssrc-group:FID 1002 1003
        a=ssrc:1002 cname:obs
        a=ssrc:1003 cname:obs
        a=msid:stream stream-video
        a=rtcp-mux
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 goog-remb
        a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
        a=rtpmap:97 rtx/90000
        a=fmtp:97 apt=96
        """)

    /// After GStreamer's webrtcbin: mid and fingerprint at the end, NACK only as PLI.
    static let gstreamer = SDPFixture(
        "gstreamer",
        """
        v=0
        o=- 2890844527 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=ice-options:trickle
        a=group:BUNDLE video0
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=setup:actpass
        a=ice-ufrag:GstUfrag0123456789abcdefghijklmn
        a=ice-pwd:GstPassword0123456789abcdefghijkl
        a=rtcp-mux
        a=rtcp-rsize
        a=sendonly
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 transport-cc
        a=framerate:10
        a=ssrc:77001 msid:user1@host webrtctransceiver0
        a=ssrc:77001 cname:user1@host
        a=mid:video0
        a=fingerprint:sha-256 10:21:32:43:54:65:76:87:98:A9:BA:CB:DC:ED:FE:0F:10:21:32:43:54:65:76:87:98:A9:BA:CB:DC:ED:FE:0F
        """)
}
