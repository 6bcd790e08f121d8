"""Publishers of other shapes than the product's own page: the order of their sections, simulcast, the size of their packets.

What counts is the picture at the edge, and how long it takes from the first frame that was sent.
"""

import json
import socket
import time

import pytest

from chromium import plays, sample
from conftest import ROOT, TOKEN, eventually, get
from test_browsers import ffmpeg_with_whip

# Transceivers in the order of `kinds`. Resolves at the first encoded frame that leaves: milliseconds since 1970.
PUBLISH = """
async ({url, token, kinds, codec, rids}) => {
  const {connect} = await import('/signaling.js');
  const media = await navigator.mediaDevices.getUserMedia({video: {width: 1280, height: 720, frameRate: 30}, audio: true});
  const pc = new RTCPeerConnection();
  window.cascade = {pc};
  for (const kind of kinds) {
    const track = media.getTracks().find(t => t.kind === kind);
    // The smallest first, as browsers' own order of scaling down wants it.
    const sendEncodings = kind === 'video' ? rids.map((rid, i) => ({rid, scaleResolutionDownBy: 2 ** (rids.length - 1 - i)})) : [];
    const transceiver = pc.addTransceiver(track, {direction: 'sendonly', streams: [media], sendEncodings});
    if (kind === 'video') {
      const all = RTCRtpSender.getCapabilities('video').codecs;
      const rest = ['video/rtx', 'video/red', 'video/ulpfec'];
      transceiver.setCodecPreferences(all.filter(c => c.mimeType === `video/${codec}` || rest.includes(c.mimeType)));
    }
  }
  await connect(pc, url, {token});
  for (;;) {
    for (const s of (await pc.getStats()).values()) {
      if (s.type === 'outbound-rtp' && s.kind === 'video' && s.framesSent > 0) return performance.timeOrigin + performance.now();
    }
    await new Promise(r => setTimeout(r, 10));
  }
}
"""

# Asks until somebody is live; `window.shown` resolves at the first picture that is presented: milliseconds since 1970.
WATCH = """
({url}) => {
  window.shown = (async () => {
    const {connect} = await import('/signaling.js');
    for (;;) {
      const pc = new RTCPeerConnection();
      const video = document.createElement('video');
      [video.muted, video.autoplay] = [true, true];
      document.body.append(video);
      const stream = new MediaStream();
      video.srcObject = stream;
      pc.ontrack = e => stream.addTrack(e.track);
      pc.addTransceiver('audio', {direction: 'recvonly'});
      pc.addTransceiver('video', {direction: 'recvonly'});
      const presented = new Promise(r => video.requestVideoFrameCallback(now => r(performance.timeOrigin + now)));
      try {
        await connect(pc, url, {});
      } catch (error) {
        pc.close();
        video.remove();
        await new Promise(r => setTimeout(r, 50));
        continue;
      }
      window.cascade = {pc, video};
      return presented;
    }
  })();
}
"""


@pytest.mark.parametrize(
    ("kinds", "codec", "rids"),
    [(["audio", "video"], "VP8", []), (["audio", "video"], "VP8", ["q", "h", "f"]), (["video", "audio"], "H264", ["q", "h", "f"])],
    ids=["audio-first-VP8", "audio-first-VP8-simulcast", "video-first-H264-simulcast"])
def test_chromium_of_another_shape_has_a_picture_at_the_edge(cascade, chromium, kinds, codec, rids):
    edge = cascade.edges[1]
    viewer = chromium.open(edge.url)
    viewer.evaluate(WATCH, {"url": f"{edge.url}/whep/shape"})
    publisher = chromium.open(f"{cascade.origin.url}/publish")
    sent = publisher.evaluate(
        PUBLISH, {"url": f"{cascade.origin.url}/whip/shape", "token": TOKEN, "kinds": kinds, "codec": codec, "rids": rids})
    shown = viewer.evaluate("Promise.race([window.shown, new Promise(r => setTimeout(() => r(0), 20_000))])")
    assert shown, f"no picture: {sample(viewer)}"
    print(f"first picture at the edge {shown - sent:.0f} ms after the first frame sent")
    samples = plays(viewer, seconds=4)
    assert samples[-1]["codec"] == codec
    assert samples[-1]["audio"] > samples[0]["audio"], "sound arrives"


def gstreamer(cascade, name: str, codec: str, *mtu: str):
    # libnice takes addresses of none of these.
    ignored = ("lo", "veth", "docker", "virbr", "vnet")
    if all(device.startswith(ignored) for _, device in socket.if_nameindex()):
        pytest.skip("libnice finds no address: this machine has nothing but loopback and virtual devices")
    return cascade.run(
        "/usr/bin/python3", ROOT / "Tests/Clients/gstreamer_publisher.py", f"{cascade.origin.url}/whip/{name}", TOKEN, codec,
        *mtu, log="publisher")


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_gstreamer_publishes_with_its_default_packet_size(cascade, chromium, codec):
    gstreamer(cascade, "webrtcbin", codec)
    cascade.wait_live("webrtcbin")
    viewer = chromium.watch(cascade.edges[0].url, "webrtcbin")
    samples = plays(viewer, seconds=4, at_least_fps=25)
    assert samples[-1]["codec"] == codec
    assert samples[-1]["audio"] > samples[0]["audio"], "sound arrives"


def test_ffmpeg_publishes_large_packets(cascade, chromium):
    cascade.run(
        ffmpeg_with_whip(), "-hide_banner", "-nostdin", "-loglevel", "warning",
        "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-re", "-f", "lavfi", "-i", "sine=440:r=48000",
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-tune", "zerolatency",
        "-g", "30", "-bf", "0", "-b:v", "1000k", "-c:a", "libopus", "-ac", "2", "-b:a", "64k", "-pkt_size", "1400",
        "-authorization", TOKEN, "-f", "whip", f"{cascade.origin.url}/whip/encoder", log="publisher")
    cascade.wait_live("encoder")
    viewer = chromium.watch(cascade.edges[0].url, "encoder")
    samples = plays(viewer, seconds=4, at_least_fps=25)
    assert samples[-1]["codec"] == "H264"


def test_packets_that_fit_no_viewer_are_warned_of_once(cascade):
    gstreamer(cascade, "jumbo", "VP8", "1472")
    cascade.wait_live("jumbo")

    def entry() -> dict:
        return next((each for each in json.loads(get(cascade.origin.url + "/api/broadcasts")) if each["name"] == "jumbo"), {})

    warnings = eventually(lambda: entry().get("warnings"), 15, "the owner is told")
    time.sleep(2)
    assert entry()["warnings"] == warnings, "no second one of the same"
    (warning,) = warnings
    assert warning["code"] == "too_large"
    assert "1460 bytes" in warning["message"] and "mtu" in warning["message"], "what came, and what to set"
    log = (cascade.folder / "origin-1.log").read_text()
    assert log.count("packets of a source are thrown away") == 1, log
