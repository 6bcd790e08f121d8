// Offers captured from OBS 32.2.2 (libdatachannel): transport lines at session level, identifiers mapped for video only.

enum OBSPublishing {
    /// x264.
    static let h264 = SDPFixture(
        "h264",
        """
        v=0
        o=rtc 3821791505 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=group:LS 0 1
        a=msid-semantic:WMS *
        a=setup:actpass
        a=ice-ufrag:U2C3
        a=ice-pwd:obrtiMK43igQA5SsRUWZwM
        a=ice-options:ice2,trickle
        a=fingerprint:sha-256 52:35:0B:33:70:F6:46:BE:08:E2:C6:13:55:D9:98:D4:CF:08:30:5C:87:08:F5:90:CA:89:BF:3E:05:C9:08:C9
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=sendonly
        a=ssrc:77615271 cname:TBkIhCZFud5PgBvZ
        a=ssrc:77615271 msid:n54DIS0qQquCOYmy n54DIS0qQquCOYmy-audio
        a=msid:n54DIS0qQquCOYmy n54DIS0qQquCOYmy-audio
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:1
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=sendonly
        a=ssrc:77615272 cname:TBkIhCZFud5PgBvZ
        a=ssrc:77615272 msid:n54DIS0qQquCOYmy n54DIS0qQquCOYmy-video
        a=msid:n54DIS0qQquCOYmy n54DIS0qQquCOYmy-video
        a=rtcp-mux
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 goog-remb
        a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
        """)

    /// AOM.
    static let av1 = SDPFixture(
        "av1",
        """
        v=0
        o=rtc 1866928979 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=group:LS 0 1
        a=msid-semantic:WMS *
        a=setup:actpass
        a=ice-ufrag:Mshq
        a=ice-pwd:KI5wPa10XhszP7wh2w/GQT
        a=ice-options:ice2,trickle
        a=fingerprint:sha-256 AA:48:8B:5C:27:7D:D7:08:A6:DD:54:5F:27:65:45:F1:0B:6C:58:44:99:4C:37:F2:C8:18:01:CA:CC:A6:FE:8E
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=sendonly
        a=ssrc:1445334066 cname:z43vWFBeP6vqFWlw
        a=ssrc:1445334066 msid:JvNp4bYDB4VLMSdu JvNp4bYDB4VLMSdu-audio
        a=msid:JvNp4bYDB4VLMSdu JvNp4bYDB4VLMSdu-audio
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:1
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=sendonly
        a=ssrc:1445334067 cname:z43vWFBeP6vqFWlw
        a=ssrc:1445334067 msid:JvNp4bYDB4VLMSdu JvNp4bYDB4VLMSdu-video
        a=msid:JvNp4bYDB4VLMSdu JvNp4bYDB4VLMSdu-video
        a=rtcp-mux
        a=rtpmap:96 AV1/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 goog-remb
        """)

    /// x264 with libdatachannel 0.24: ICE lines in the sections, the fingerprint above them.
    static let newer = SDPFixture(
        "newer",
        """
        v=0
        o=rtc 208488536 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=group:LS 0 1
        a=msid-semantic:WMS *
        a=ice-options:ice2,trickle
        a=fingerprint:sha-256 94:01:E8:05:0D:95:4E:6D:42:67:8D:52:6E:0B:55:93:EE:05:F9:E2:64:E2:0A:F6:70:9F:C6:7E:45:6E:BF:BB
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=sendonly
        a=ssrc:1926743022 cname:NrCn0uq5VtHTG8C2
        a=ssrc:1926743022 msid:seyami3gDc9HrjAO seyami3gDc9HrjAO-audio
        a=msid:seyami3gDc9HrjAO seyami3gDc9HrjAO-audio
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
        a=setup:actpass
        a=ice-ufrag:TsoK
        a=ice-pwd:EkvVHMZSJ+P5ss6gguOOkl
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:1
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=sendonly
        a=ssrc:1926743023 cname:NrCn0uq5VtHTG8C2
        a=ssrc:1926743023 msid:seyami3gDc9HrjAO seyami3gDc9HrjAO-video
        a=msid:seyami3gDc9HrjAO seyami3gDc9HrjAO-video
        a=rtcp-mux
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 goog-remb
        a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
        a=setup:actpass
        a=ice-ufrag:TsoK
        a=ice-pwd:EkvVHMZSJ+P5ss6gguOOkl
        """)

    /// Two layers of x264.
    static let simulcast2 = SDPFixture(
        "simulcast2",
        """
        v=0
        o=rtc 63023652 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=group:LS 0 1
        a=msid-semantic:WMS *
        a=setup:actpass
        a=ice-ufrag:avON
        a=ice-pwd:oQZ/52s65XZzmFJzkD+lhz
        a=ice-options:ice2,trickle
        a=fingerprint:sha-256 F9:03:42:ED:8D:31:47:B3:B6:6A:F7:C2:97:52:D5:A0:05:DC:31:0D:8E:05:84:24:9B:4F:26:E2:47:6A:E8:CB
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=sendonly
        a=ssrc:526600050 cname:X4w8FN6ng9gqzXyO
        a=ssrc:526600050 msid:3nbmkcHuV2QzqlNh 3nbmkcHuV2QzqlNh-audio
        a=msid:3nbmkcHuV2QzqlNh 3nbmkcHuV2QzqlNh-audio
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:1
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=sendonly
        a=msid:3nbmkcHuV2QzqlNh 3nbmkcHuV2QzqlNh-video
        a=rid:0 send
        a=rid:1 send
        a=simulcast:send 0;1
        a=rtcp-mux
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 goog-remb
        a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
        """)

    /// Three layers.
    static let simulcast3 = SDPFixture(
        "simulcast3",
        """
        v=0
        o=rtc 1204457234 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=group:LS 0 1
        a=msid-semantic:WMS *
        a=setup:actpass
        a=ice-ufrag:wKGA
        a=ice-pwd:UbP4GO/JpWkgfmLy1hxirB
        a=ice-options:ice2,trickle
        a=fingerprint:sha-256 1F:B2:07:92:88:AC:62:4A:39:C0:62:AC:99:90:2E:CB:62:F0:C9:1B:79:A3:CC:A8:36:97:D4:7A:16:F2:BA:A5
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=sendonly
        a=ssrc:2234707800 cname:afEHxzBslb3KCBsk
        a=ssrc:2234707800 msid:F2BItqcgjxgwK6XK F2BItqcgjxgwK6XK-audio
        a=msid:F2BItqcgjxgwK6XK F2BItqcgjxgwK6XK-audio
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:1
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=sendonly
        a=msid:F2BItqcgjxgwK6XK F2BItqcgjxgwK6XK-video
        a=rid:0 send
        a=rid:1 send
        a=rid:2 send
        a=simulcast:send 0;1;2
        a=rtcp-mux
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 goog-remb
        a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
        """)

    /// Four layers.
    static let simulcast4 = SDPFixture(
        "simulcast4",
        """
        v=0
        o=rtc 4200803244 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=group:LS 0 1
        a=msid-semantic:WMS *
        a=setup:actpass
        a=ice-ufrag:vkEK
        a=ice-pwd:VHld+XLXofmrnhmz9KJlDX
        a=ice-options:ice2,trickle
        a=fingerprint:sha-256 7B:C1:39:66:25:75:83:78:BC:D6:DE:76:10:4F:25:2F:30:AB:CF:80:F3:65:1F:A6:D3:A9:44:9C:25:8F:5C:A7
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=sendonly
        a=ssrc:3958536095 cname:TOe3w48vSGVbiNvc
        a=ssrc:3958536095 msid:UJKfJzorEN9aoP8D UJKfJzorEN9aoP8D-audio
        a=msid:UJKfJzorEN9aoP8D UJKfJzorEN9aoP8D-audio
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:1
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=sendonly
        a=msid:UJKfJzorEN9aoP8D UJKfJzorEN9aoP8D-video
        a=rid:0 send
        a=rid:1 send
        a=rid:2 send
        a=rid:3 send
        a=simulcast:send 0;1;2;3
        a=rtcp-mux
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 goog-remb
        a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
        """)
}
