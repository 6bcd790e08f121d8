"""Headless Chromium with a fake camera, and what its pages tell of their connections."""

from playwright.sync_api import sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream=fps=30", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]

# One second's view of the page's peer connection.
SAMPLE = """
async () => {
  const pc = window.cascade?.pc;
  const out = {state: pc?.connectionState ?? 'none', page: document.body.dataset.state ?? '',
               notice: document.getElementById('notice-title')?.textContent ?? ''};
  if (!pc) return out;
  for (const s of (await pc.getStats()).values()) {
    if (s.type === 'transport') Object.assign(out, {srtp: s.srtpCipher, tls: s.tlsVersion});
    if (s.type === 'inbound-rtp' && s.kind === 'video') {
      Object.assign(out, {decoded: s.framesDecoded, freezes: s.freezeCount, frozen: s.totalFreezesDuration, lost: s.packetsLost,
        nacks: s.nackCount, plis: s.pliCount, keyframes: s.keyFramesDecoded, width: s.frameWidth, fps: s.framesPerSecond, ssrc: s.ssrc});
    }
    if (s.type === 'inbound-rtp' && s.kind === 'audio') Object.assign(out, {audio: s.packetsReceived, samples: s.totalSamplesReceived});
    if (s.type === 'outbound-rtp' && s.kind === 'video') {
      Object.assign(out, {encoded: s.framesEncoded, target: s.targetBitrate, limited: s.qualityLimitationReason, repaired: s.retransmittedPacketsSent});
    }
    if (s.type === 'codec' && s.mimeType.startsWith('video/')) out.codec = s.mimeType.slice(6);
    if (s.type === 'candidate-pair' && s.nominated) out.available = s.availableOutgoingBitrate;
  }
  return out;
}
"""


class Chromium:
    """`program`: Chromium, or what starts it elsewhere."""

    def __init__(self, program: str = "/usr/bin/chromium", *flags: str):
        self.program, self.flags = program, [*FLAGS, *flags]
        self.messages: list[str] = []
        self.others: list[Chromium] = []

    def __enter__(self):
        self.playwright = sync_playwright().start()
        self.launch()
        return self

    def launch(self):
        self.browser = self.playwright.chromium.launch(executable_path=self.program, headless=True, args=self.flags)

    def another(self, program: str, *flags: str) -> "Chromium":
        """A second browser: Playwright can be started once only. It ends with this one."""
        other = Chromium(program, *flags)
        other.playwright = self.playwright
        other.launch()
        self.others.append(other)
        return other

    def __exit__(self, *_):
        for each in [*self.others, self]:
            each.browser.close()
        self.playwright.stop()

    def open(self, url: str, **context):
        page = self.browser.new_context(permissions=["camera", "microphone"], **context).new_page()
        page.on("console", lambda m: self.messages.append(m.text))
        page.on("pageerror", lambda e: self.messages.append(f"page error: {e}"))
        page.goto(url)
        return page

    def watch(self, node_url: str, broadcast: str):
        return self.open(f"{node_url}/?broadcast={broadcast}")

    def publish(self, origin_url: str, broadcast: str, token: str, codec: str = ""):
        page = self.open(f"{origin_url}/publish?broadcast={broadcast}")
        page.fill("#token", token)
        page.select_option("#codec", codec)
        page.click("#start")
        return page


def sample(page) -> dict:
    return page.evaluate(SAMPLE)


def until(page, condition, seconds: float, what: str) -> dict:
    """The first sample that satisfies `condition`."""
    last = {}
    for _ in range(int(seconds * 5)):
        last = sample(page)
        if condition(last):
            return last
        page.wait_for_timeout(200)
    raise AssertionError(f"not within {seconds} s: {what}; last: {last}")


def plays(page, seconds: int, at_least_fps: float = 10, settle: float = 2) -> list[dict]:
    """Samples of each of `seconds` seconds of playing, after the first picture and `settle` seconds: frames rise in
    every one and nothing freezes."""
    until(page, lambda s: s.get("decoded", 0) > 0, 20, "first picture")
    page.wait_for_timeout(int(settle * 1000))
    samples = [sample(page)]
    for _ in range(seconds):
        page.wait_for_timeout(1000)
        samples.append(sample(page))
    for before, after in zip(samples, samples[1:]):
        assert after["decoded"] > before["decoded"], f"no new frame within a second: {before} {after}"
    assert samples[-1]["freezes"] == samples[0]["freezes"], f"froze: {samples[0]} {samples[-1]}"
    rate = (samples[-1]["decoded"] - samples[0]["decoded"]) / seconds
    assert rate >= at_least_fps, f"{rate} frames a second"
    return samples
