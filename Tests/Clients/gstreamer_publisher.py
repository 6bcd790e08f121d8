"""GStreamer's webrtcbin publishes a test picture and a tone by WHIP: gstreamer_publisher.py URL TOKEN VP8|H264 [MTU]

Runs under the system's Python, which has the bindings. `MTU` is the payloaders' property of that name, the longest RTP
packet; without it they keep their default of 1,400. Ends when told to, or when the pipeline or the connection fails.
"""

import signal
import sys
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

VIDEO = {
    "VP8": ("vp8enc deadline=1 cpu-used=8 target-bitrate=1000000 keyframe-max-dist=30 ! rtpvp8pay {mtu}", "VP8"),
    "H264": ("x264enc tune=zerolatency speed-preset=ultrafast bitrate=1000 key-int-max=30 ! "
             "video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency {mtu}", "H264"),
}
PIPELINE = (
    "webrtcbin name=peer bundle-policy=max-bundle "
    "videotestsrc is-live=true pattern=zone-plate kx2=20 ky2=20 kt=1 ! video/x-raw,width=640,height=360,framerate=30/1 ! {video} pt=96 ! "
    "application/x-rtp,media=video,encoding-name={name},payload=96 ! peer. "
    "audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=97 ! "
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer."
)


class Publisher:
    def __init__(self, url: str, token: str, codec: str, mtu: str = ""):
        self.url, self.token, self.failed = url, token, False
        video, name = VIDEO[codec]
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(PIPELINE.format(video=video.format(mtu=mtu and f"mtu={mtu}"), name=name))
        self.peer = self.pipeline.get_by_name("peer")
        for index in range(2):
            transceiver = self.peer.emit("get-transceiver", index)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        self.peer.connect("on-negotiation-needed", self.offer)
        self.peer.connect("notify::ice-gathering-state", lambda *_: GLib.idle_add(self.gathered))
        self.peer.connect("notify::connection-state", lambda *_: GLib.idle_add(self.changed))
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: self.fail(str(message.parse_error())))

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, self.loop.quit)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        return 1 if self.failed else 0

    def fail(self, why: str):
        print(why, flush=True)
        self.failed = True
        self.loop.quit()

    def offer(self, _):
        def made(promise, _):
            # The offer is part of the reply, and lives as long.
            reply = promise.get_reply()
            self.peer.emit("set-local-description", reply.get_value("offer"), None)

        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(made, None))

    def gathered(self):
        """WHIP without trickling: the offer goes out once, with all candidates."""
        if self.peer.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        offer = self.peer.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(
            self.url, offer.encode(), {"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                text = response.read()
        except OSError as error:
            return self.fail(f"{error}\n{offer}")
        _, sdp = GstSdp.SDPMessage.new_from_text(text.decode())
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.peer.emit("set-remote-description", answer, None)

    def changed(self):
        state = self.peer.get_property("connection-state")
        print(state.value_nick, flush=True)
        if state in (GstWebRTC.WebRTCPeerConnectionState.FAILED, GstWebRTC.WebRTCPeerConnectionState.CLOSED):
            self.fail("no connection any more")


Gst.init(None)
sys.exit(Publisher(*sys.argv[1:]).run())
