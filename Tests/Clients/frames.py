"""What people see: the moment of every picture that a page presents, and a publisher that goes live on demand.

Times are milliseconds since 1970 by the machine's clock, the same in pages, in the nodes' logs and here.
"""

import datetime
import time

from chromium import sample, until

WATCH = """
() => {
  const {pc, video} = window.cascade;
  const seen = window.seen = {pc, frames: [], negotiations: 0};
  pc.addEventListener('signalingstatechange', () => seen.negotiations += 1);
  const next = (now, frame) => {
    seen.frames.push([performance.timeOrigin + now, frame.width, frame.rtpTimestamp]);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}
"""

PREPARE = """
async ({width, height, fps, audio}) => {
  const media = await navigator.mediaDevices.getUserMedia({video: {width, height, frameRate: fps}, audio});
  const pc = new RTCPeerConnection();
  window.cascade = {pc};
  const [video, sound] = [media.getVideoTracks()[0], media.getAudioTracks()[0]];
  video.contentHint = 'detail';
  pc.addTransceiver(video, {direction: 'sendonly', streams: [media], sendEncodings: [{maxBitrate: 500_000}]});
  if (sound) pc.addTransceiver(sound, {direction: 'sendonly', streams: [media]});
}
"""

GO_LIVE = """
async ({url, token}) => {
  const {connect, connected} = await import('/signaling.js');
  window.cascade.session = await connect(window.cascade.pc, url, {token});
  await connected(window.cascade.pc);
}
"""


class Camera:
    """A page with a fake camera: it answers keyframe requests."""

    def __init__(self, browser, node, token: str, width: int = 320, height: int = 240, fps: int = 30, audio: bool = False):
        self.node, self.token = node, token
        self.page = browser.open(f"{node.url}/publish")
        self.page.evaluate(PREPARE, {"width": width, "height": height, "fps": fps, "audio": audio})

    def go_live(self, name: str):
        self.page.evaluate(GO_LIVE, {"url": f"{self.node.url}/whip/{name}", "token": self.token})

    def stop(self):
        self.page.evaluate("window.cascade.session.close()")
        self.page.context.close()


class Screen:
    """The product's page, playing."""

    def __init__(self, page):
        self.page = page
        until(page, lambda s: s.get("decoded", 0) > 0, 20, "first picture")
        page.evaluate(WATCH)
        self.first = self.statistics()

    def statistics(self) -> dict:
        return sample(self.page)

    def frames(self) -> list[tuple[float, int, int]]:
        """Moment, width, RTP timestamp."""
        return [tuple(frame) for frame in self.page.evaluate("window.seen.frames")]

    def await_frames(self, count: int, seconds: float, after: float = 0, width: int | None = None) -> list[tuple]:
        """The first `count` pictures after that moment, of that width."""
        end = time.monotonic() + seconds
        while True:
            found = [f for f in self.frames() if f[0] > after and width in (None, f[1])]
            if len(found) >= count:
                return found[:count]
            assert time.monotonic() < end, f"{len(found)} pictures in {seconds} s; {self.statistics()}"
            self.page.wait_for_timeout(50)

    def longest_gap(self, since: float, until: float) -> float:
        """Milliseconds between two pictures, of those that overlap this time."""
        moments = [f[0] for f in self.frames()]
        gaps = [b - a for a, b in zip(moments, moments[1:]) if b > since and a < until]
        assert moments and moments[-1] >= until, f"the last picture is {until - moments[-1]:.0f} ms too old"
        return max(gaps)

    def check_continuity(self):
        """One connection, one negotiation, one line of RTP in which time goes forward."""
        last = self.statistics()
        same = self.page.evaluate("window.seen.pc === window.cascade.pc && window.seen.negotiations === 0")
        assert same, f"negotiated again: {self.first} {last}"
        assert last["ssrc"] == self.first["ssrc"], (self.first, last)
        stamps = [f[2] for f in self.frames()]
        steps = [(b - a + (1 << 31)) % (1 << 32) - (1 << 31) for a, b in zip(stamps, stamps[1:])]
        # The same picture may be presented twice, never an older one.
        assert all(step >= 0 for step in steps), f"time goes back by {min(steps)} ticks"


def milliseconds() -> float:
    return time.time() * 1000


def logged(path, *words: str, after: float = 0) -> float:
    """When the first line with all these words was written after that moment; 0: never."""
    for line in path.read_text(errors="replace").splitlines():
        stamp, _, rest = line.partition(" ")
        if all(word in rest for word in words):
            try:
                at = datetime.datetime.fromisoformat(stamp).timestamp() * 1000
            except ValueError:
                continue
            # The stamp is cut to whole milliseconds.
            if at >= after - 1:
                return at
    return 0
