"""Real browsers and encoders through the whole cascade: WHIP at the origin, relay, WHEP at an edge, decoded frames."""

import clips
import pytest
from chromium import plays, sample, until
from conftest import TOKEN, end
from firefox import Firefox


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_chromium_publishes_and_chromium_watches_via_the_edge(cascade, chromium, codec):
    publisher = chromium.publish(cascade.origin.url, "show", TOKEN, codec)
    until(publisher, lambda s: s["page"] == "live", 15, "publisher live")
    viewer = chromium.watch(cascade.edges[1].url, "show")
    samples = plays(viewer, seconds=10)
    assert samples[-1]["codec"] == codec
    assert "AES_GCM" in samples[-1]["srtp"] or "AEAD_AES" in samples[-1]["srtp"], samples[-1]["srtp"]
    assert samples[-1]["audio"] > samples[0]["audio"], "sound arrives"
    # Transport-wide feedback lets the encoder leave its starting rate.
    sent = sample(publisher)
    assert sent["target"] > 600_000, sent
    publisher.click("#stop")
    viewer.context.close()


SIMULCAST = """
async ({url, token}) => {
  const {connect, connected} = await import('/signaling.js');
  const media = await navigator.mediaDevices.getUserMedia({video: {width: 1280, height: 720, frameRate: 30}, audio: true});
  const pc = new RTCPeerConnection();
  window.cascade = {pc};
  const sendEncodings = [{rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f'}];
  pc.addTransceiver(media.getVideoTracks()[0], {direction: 'sendonly', streams: [media], sendEncodings});
  pc.addTransceiver(media.getAudioTracks()[0], {direction: 'sendonly', streams: [media]});
  await connect(pc, url, {token});
  await connected(pc);
}
"""


def test_viewers_choose_an_encoding_and_the_relay_carries_no_other(cascade, chromium):
    publisher = chromium.open(f"{cascade.origin.url}/publish")
    publisher.evaluate(SIMULCAST, {"url": f"{cascade.origin.url}/whip/layers", "token": TOKEN})
    viewer = chromium.watch(cascade.edges[0].url, "layers")
    until(viewer, lambda s: s.get("width") == 1280, 20, "the largest, though it is the publisher's last")

    quality = viewer.get_by_label("Quality")
    quality.wait_for(state="visible", timeout=15_000)
    names = quality.locator("option").all_text_contents()
    assert names[0] == "Automatic" and sorted(name.split()[0] for name in names[1:]) == ["f", "h", "q"], names
    before = sample(viewer)
    quality.select_option("rid:q")
    until(viewer, lambda s: s["width"] == 320, 15, "the smallest encoding")
    # One line for the decoder: it goes on without a word to the publisher.
    later = plays(viewer, seconds=5)
    assert later[-1]["lost"] - before["lost"] <= 5, (before, later[-1])
    quality.select_option("")
    until(viewer, lambda s: s["width"] == 1280, 15, "the server's choice again")
    viewer.context.close()


WATCH_IN_FIREFOX = """
async () => {
  const sleep = ms => new Promise(r => setTimeout(r, ms));
  const look = async () => {
    const out = {page: document.body.dataset.state, notice: document.getElementById('notice-title').textContent};
    for (const s of (await window.cascade?.pc?.getStats() ?? new Map()).values()) {
      if (s.type === 'inbound-rtp' && s.kind === 'video') Object.assign(out, {decoded: s.framesDecoded, lost: s.packetsLost, width: s.frameWidth});
    }
    const q = document.getElementById('video').getVideoPlaybackQuality();
    return Object.assign(out, {shown: q.totalVideoFrames, at: performance.now()});
  };
  const samples = [];
  for (let i = 0; i < 100 && !((await look()).decoded > 0); i++) await sleep(200);
  await sleep(1000);
  for (let i = 0; i <= 10; i++) { samples.push(await look()); await sleep(1000); }
  return JSON.stringify(samples);
}
"""


def test_chromium_publishes_vp8_and_firefox_watches_via_the_edge(cascade, chromium):
    publisher = chromium.publish(cascade.origin.url, "show", TOKEN, "VP8")
    until(publisher, lambda s: s["page"] == "live", 15, "publisher live")
    with Firefox() as firefox:
        samples = firefox.run(f"{cascade.edges[0].url}/?broadcast=show", WATCH_IN_FIREFOX)
    for before, after in zip(samples, samples[1:]):
        assert after.get("decoded", 0) > before.get("decoded", 0), (before, after)
        assert after["page"] == "playing", after
    assert samples[-1]["decoded"] - samples[0]["decoded"] > 150


def ffmpeg_with_whip() -> str:
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()


def test_ffmpeg_publishes_h264_by_whip_and_chromium_watches_via_the_edge(cascade, chromium):
    cascade.run(
        ffmpeg_with_whip(), "-hide_banner", "-nostdin", "-loglevel", "warning",
        "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-re", "-f", "lavfi", "-i", "sine=440:r=48000",
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-tune", "zerolatency",
        "-g", "30", "-bf", "0", "-b:v", "1000k", "-c:a", "libopus", "-ac", "2", "-b:a", "64k",
        "-authorization", TOKEN, "-f", "whip", f"{cascade.origin.url}/whip/encoder", log="publisher")
    cascade.wait_live("encoder")
    viewer = chromium.watch(cascade.edges[1].url, "encoder")
    samples = plays(viewer, seconds=10, at_least_fps=25)
    assert samples[-1]["codec"] == "H264"


def test_the_page_plays_a_live_test_picture_at_25_fps_for_30_s(cascade, chromium, clip, tone):
    cascade.probe(
        "publish", "--url", f"{cascade.origin.url}/whip/demo", "--file", clip, "--audio", tone, "--loop", log="publisher")
    cascade.wait_live("demo")
    viewer = chromium.watch(cascade.edges[1].url, "demo")
    samples = plays(viewer, seconds=30, at_least_fps=25)
    assert samples[-1]["page"] == "playing"
    assert viewer.locator("#notice").is_hidden()


def test_who_comes_between_two_keyframes_a_minute_apart_sees_the_picture_at_once(cascade, chromium, tmp_path):
    """At a cold edge, at one that has the broadcast, and again in Firefox. The publisher is never asked for a keyframe."""
    clip = clips.picture(tmp_path / "rare.ivf", "640x360", 60, "800k", keyframe=60)
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/rare", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("rare")
    chromium.open(cascade.origin.url).wait_for_timeout(3_000)
    for _ in ("cold", "warm"):
        viewer = chromium.watch(cascade.edges[0].url, "rare")
        until(viewer, lambda s: s.get("decoded", 0) > 60, 15, "playing")
    with Firefox() as firefox:
        samples = firefox.run(f"{cascade.edges[0].url}/?broadcast=rare", WATCH_IN_FIREFOX)
    assert samples[-1].get("decoded", 0) > 60, samples
    asked = sum(v for k, v in cascade.origin.metrics().items() if k.startswith("sfu_keyframe_requests_sent_total"))
    assert asked == 0


def test_the_page_says_when_nothing_is_live_and_begins_by_itself(cascade, chromium, clip):
    viewer = chromium.watch(cascade.edges[0].url, "later")
    until(viewer, lambda s: s["notice"] == "Not live yet", 15, "the page says so")
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/later", "--file", clip, "--loop", log="publisher")
    until(viewer, lambda s: s.get("decoded", 0) > 30, 20, "playing without a reload")


def test_the_lobby_lists_what_is_live_on_a_phone(cascade, chromium, clip):
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")
    page = chromium.open(cascade.origin.url, viewport={"width": 390, "height": 844}, is_mobile=True)
    page.get_by_role("link", name="show").click()
    until(page, lambda s: s.get("decoded", 0) > 0, 15, "playing")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
    assert not [m for m in chromium.messages if "Content Security Policy" in m or m.startswith("page error")], chromium.messages


@pytest.mark.parametrize("ending", ["orderly", "killed"])
def test_a_publisher_that_comes_back_continues_without_renegotiation(cascade, chromium, clip, ending):
    first = cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")
    viewer = chromium.watch(cascade.edges[0].url, "show")
    before = until(viewer, lambda s: s.get("decoded", 0) > 30, 20, "playing")
    viewer.evaluate("window.firstConnection = window.cascade.pc")
    if ending == "orderly":
        assert end(first) == 0
        viewer.wait_for_timeout(2000)
    else:
        # No good-bye: the origin learns it from the silence.
        first.kill()
        first.wait()
        viewer.wait_for_timeout(4000)
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    stopped = sample(viewer)["decoded"]
    after = until(viewer, lambda s: s.get("decoded", 0) > stopped + 60, 15, f"goes on: {cascade.log('publisher')}")
    assert after["ssrc"] == before["ssrc"]
    assert viewer.evaluate("window.firstConnection === window.cascade.pc"), "the same peer connection all the time"


def test_a_publisher_that_comes_back_with_another_codec_continues_without_renegotiation(cascade, chromium):
    publisher = chromium.publish(cascade.origin.url, "show", TOKEN, "VP8")
    until(publisher, lambda s: s["page"] == "live", 15, "publisher live")
    viewers = [chromium.watch(node.url, "show") for node in (cascade.edges[0], cascade.origin)]
    before = [until(v, lambda s: s.get("decoded", 0) > 30 and s["codec"] == "VP8", 20, "VP8 plays") for v in viewers]
    for viewer in viewers:
        viewer.evaluate("window.firstConnection = window.cascade.pc")
    publisher.click("#stop")
    publisher.wait_for_timeout(1000)
    publisher.context.close()
    for codec in ["H264", "VP8"]:
        stopped = [sample(v)["decoded"] for v in viewers]
        publisher = chromium.publish(cascade.origin.url, "show", TOKEN, codec)
        until(publisher, lambda s: s["page"] == "live", 15, "publisher live again")
        for viewer, first, count in zip(viewers, before, stopped):
            after = until(viewer, lambda s: s.get("codec") == codec and s["decoded"] > count + 60, 15, f"{codec} plays")
            assert after["ssrc"] == first["ssrc"]
            assert viewer.evaluate("window.firstConnection === window.cascade.pc"), "the same peer connection"
        publisher.click("#stop")
        publisher.wait_for_timeout(1000)
        publisher.context.close()


def test_the_page_comes_back_after_its_edge_was_restarted(cascade, chromium, clip):
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")
    edge = cascade.edges[0]
    viewer = chromium.watch(edge.url, "show")
    until(viewer, lambda s: s.get("decoded", 0) > 30, 20, "playing")
    assert end(edge.process) == 0
    cascade.start_node(edge)
    viewer.evaluate("window.before = window.cascade.pc")
    until(viewer, lambda s: s.get("decoded", 0) > 30 and s["page"] == "playing", 15, "playing again")


def test_stop_while_going_live_leaves_nothing_behind(cascade, chromium):
    page = chromium.open(f"{cascade.origin.url}/publish?broadcast=show")
    page.route("**/whip/**", lambda route: (page.wait_for_timeout(1500), route.continue_()))
    page.fill("#token", TOKEN)
    page.click("#start")
    page.wait_for_timeout(700)
    page.click("#stop")
    page.wait_for_timeout(3000)
    seen = sample(page)
    assert (seen["page"], seen["notice"]) == ("idle", ""), seen
    assert not cascade.live(cascade.origin, "show")
    page.unroute("**/whip/**")
    page.click("#start")
    until(page, lambda s: s["page"] == "live", 15, "the next try")
