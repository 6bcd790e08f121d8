"""What Chromium shows of a broadcast: the product's page over time, and joins by themselves."""

from chromium import Chromium, until

# Counters of the page's video since it began, and the longest time between two pictures since last asked.
STATISTICS = """
async () => {
  const {pc, video} = window.cascade;
  if (!window.gaps) {
    const gaps = window.gaps = {last: performance.now(), longest: 0};
    const next = now => {
      gaps.longest = Math.max(gaps.longest, now - gaps.last);
      gaps.last = now;
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  }
  for (const s of (await pc.getStats()).values()) if (s.type === 'inbound-rtp' && s.kind === 'video') {
    const gap = window.gaps.longest;
    window.gaps.longest = 0;
    return {freezes: s.freezeCount, frozen: s.totalFreezesDuration, decoded: s.framesDecoded, nacks: s.nackCount,
            plis: s.pliCount, lost: s.packetsLost, delay: s.jitterBufferDelay, emitted: s.jitterBufferEmittedCount, gap};
  }
}
"""

JOIN = """
async ([url, watching]) => {
  const pc = new RTCPeerConnection();
  const video = document.createElement('video');
  video.muted = video.autoplay = true;
  document.body.append(video);
  const stream = new MediaStream();
  video.srcObject = stream;
  pc.ontrack = event => stream.addTrack(event.track);
  pc.addTransceiver('audio', {direction: 'recvonly'});
  pc.addTransceiver('video', {direction: 'recvonly'});
  await pc.setLocalDescription();
  const latency = async pc => {
    for (const s of (await pc.getStats()).values()) {
      if (s.type === 'inbound-rtp' && s.kind === 'video' && s.estimatedPlayoutTimestamp) return Date.now() - (s.estimatedPlayoutTimestamp - 2208988800000);
    }
  };
  const begin = performance.now();
  const shown = new Promise(resolve => video.requestVideoFrameCallback(() => resolve(performance.now())));
  const answer = await fetch(url, {method: 'POST', headers: {'content-type': 'application/sdp'}, body: pc.localDescription.sdp});
  const agreed = performance.now();
  await pc.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  const first = await Promise.race([shown, new Promise(resolve => setTimeout(() => resolve(0), 15000))]);
  await new Promise(resolve => setTimeout(resolve, watching));
  const out = {status: answer.status, first: first - begin, afterAnswer: first - agreed, latency: await latency(pc)};
  if (window.cascade?.pc) out.others = await latency(window.cascade.pc);
  for (const s of (await pc.getStats()).values()) if (s.type === 'inbound-rtp' && s.kind === 'video') {
    Object.assign(out, { freezes: s.freezeCount, plis: s.pliCount, nacks: s.nackCount, decoded: s.framesDecoded});
  }
  pc.close();
  await fetch(new URL(answer.headers.get('location'), answer.url), {method: 'DELETE'});
  video.remove();
  return out;
}
"""


class Viewer:
    """The product's page at a node, playing."""

    @staticmethod
    def browser(host) -> Chromium:
        return Chromium(host.chromium())

    def __init__(self, browser: Chromium, node):
        self.page = browser.watch(node.url, "show")
        until(self.page, lambda s: s.get("decoded", 0) > 30, 30, "a second of the picture")
        self.before = self.page.evaluate(STATISTICS)

    def end(self) -> dict:
        after = self.page.evaluate(STATISTICS)
        seen = {name: after[name] - self.before[name] for name in after}
        seen["buffer"] = 1_000 * seen["delay"] / max(1, seen["emitted"])
        seen["gap"] = after["gap"]
        self.page.context.close()
        return seen

    @staticmethod
    def watch_all(viewers: dict[str, "Viewer"], seconds: int) -> dict[str, dict]:
        next(iter(viewers.values())).page.wait_for_timeout(1_000 * seconds)
        return {way: viewer.end() for way, viewer in viewers.items()}
