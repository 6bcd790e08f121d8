"""A node that stops sends its viewers elsewhere first, and people see nothing of it."""

import json
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

import pytest
from chromium import sample, until
from conftest import TOKEN, Node, eventually

# What is on screen: each frame that people see, by element, and how long each connection froze while it was on screen.
WATCH_THE_SCREEN = """
() => {
  window.seen = {frames: [], frozen: [], connections: []};
  for (const video of document.querySelectorAll('video')) {
    const note = now => {
      if (window.cascade.video === video) window.seen.frames.push([now, video.id]);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  }
  setInterval(async () => {
    const {pc} = window.cascade;
    if (!window.seen.connections.includes(pc)) window.seen.connections.push(pc);
    const index = window.seen.connections.indexOf(pc);
    for (const s of (await pc.getStats()).values()) {
      if (s.type !== 'inbound-rtp' || s.kind !== 'video') continue;
      const since = window.seen.frozen[index]?.since ?? s.totalFreezesDuration;
      window.seen.frozen[index] = {since, until: s.totalFreezesDuration};
    }
  }, 50);
}
"""


def gaps(frames: list) -> list[float]:
    """Milliseconds between the frames that people saw, whichever element they were in."""
    return [after[0] - before[0] for before, after in zip(frames, frames[1:])]


def total_freeze(intervals: list[float]) -> float:
    """Milliseconds, counted like totalFreezesDuration: intervals longer than 3 times the usual one, or 150 ms more."""
    usual = sorted(intervals)[len(intervals) // 2]
    return sum(gap for gap in intervals if gap > max(3 * usual, usual + 150))


@pytest.fixture
def pair(make_cascade):
    """An origin without viewers and two edges of its region."""
    cascade = make_cascade(
        nodes=[Node("origin-1", "origin", viewers=False), Node("edge-1", "edge", "origin-1"),
               Node("edge-2", "edge", "origin-1")],
        drain_deadline="20s", drain_window="4s")
    yield cascade
    # They would wait for their clients, and each other.
    for node in cascade.nodes:
        node.process.kill()


def viewers(node: Node) -> float:
    return node.metrics()['sfu_sessions{kind="viewer"}']


def test_viewers_of_a_node_that_stops_play_on_from_another_without_a_gap(pair, chromium):
    first, second = pair.edges
    publisher = chromium.publish(pair.origin.url, "show", TOKEN, "VP8")
    until(publisher, lambda s: s["page"] == "live", 15, "publisher live")
    pages = [chromium.watch(first.url, "show") for _ in range(2)]
    for page in pages:
        until(page, lambda s: s.get("decoded", 0) > 60 and s["page"] == "playing", 30, "playing")
    eventually(lambda: first.metrics()["sfu_viewer_event_streams"] == 2, 5, "both follow the events")
    for page in pages:
        page.evaluate(WATCH_THE_SCREEN)
        page.wait_for_timeout(1000)
    first.process.send_signal(signal.SIGTERM)
    # Well before the deadline: because nobody is left.
    pages[0].wait_for_timeout(100)
    for _ in range(150):
        if first.process.poll() is not None:
            break
        pages[0].wait_for_timeout(100)
    assert first.process.poll() == 0, pair.log(first.name)
    assert viewers(second) == 2
    for page in pages:
        page.wait_for_timeout(1500)
        seen = page.evaluate("(({frames, frozen}) => ({frames, frozen}))(window.seen)")
        intervals = gaps(seen["frames"])
        frozen = [connection["until"] - connection["since"] for connection in seen["frozen"]]
        report = {"longest gap": round(max(intervals)), "freeze on screen": round(total_freeze(intervals)),
                  "frozen by connection": frozen, "frames": len(intervals)}
        print(json.dumps(report))
        assert {element for _, element in seen["frames"]} == {"video", "video-2"}, "it moved to the other element"
        assert total_freeze(intervals) < 300 and max(intervals) < 300, report
        assert len(frozen) == 2 and sum(frozen) < 0.3, report
        before = sample(page)
        page.wait_for_timeout(1000)
        after = sample(page)
        assert after["decoded"] > before["decoded"] and after["page"] == "playing", (before, after)
        assert page.url.startswith(first.url), "the address bar stays"


def ask(method: str, url: str, body: str = "", kind: str = "application/sdp"):
    """Status and headers, redirects not followed."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    request = urllib.request.Request(url, body.encode() if method == "POST" else None, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=10) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_a_drain_by_request_sends_new_viewers_elsewhere_until_it_is_taken_back(pair, chromium):
    first, second = pair.edges
    offer = (pathlib.Path(__file__).parent / "viewer-offer.sdp").read_text()
    publisher = chromium.publish(pair.origin.url, "show", TOKEN, "VP8")
    until(publisher, lambda s: s["page"] == "live", 15, "publisher live")
    assert ask("POST", f"{first.internal}/drain")[0] == 200
    assert ask("GET", f"{first.internal}/readyz")[0] == 503
    status, headers = eventually(
        lambda: (answer := ask("POST", f"{first.url}/whep/show?a=b", offer))[0] == 307 and answer, 5, "it knows the other")
    assert headers["Location"] == f"{second.url}/whep/show?a=b"
    assert headers["Access-Control-Allow-Origin"] == "*"
    page = chromium.watch(first.url, "show")
    until(page, lambda s: s.get("decoded", 0) > 30, 30, "playing")
    assert (viewers(first), viewers(second)) == (0, 1)
    assert ask("DELETE", f"{first.internal}/drain")[0] == 200
    assert ask("GET", f"{first.internal}/readyz")[0] == 200
    assert ask("POST", f"{first.url}/whep/show", offer)[0] == 201
    assert first.process.poll() is None


def test_a_move_that_fails_is_tried_again_by_the_page_s_own_address(pair, chromium):
    first, second = pair.edges
    publisher = chromium.publish(pair.origin.url, "show", TOKEN, "VP8")
    until(publisher, lambda s: s["page"] == "live", 15, "publisher live")
    page = chromium.watch(first.url, "show")
    until(page, lambda s: s.get("decoded", 0) > 60 and s["page"] == "playing", 30, "playing")
    page.evaluate(WATCH_THE_SCREEN)
    # Redirected requests do not pass here.
    page.route(f"{second.url}/whep/**", lambda route: route.abort())
    ask("POST", f"{first.internal}/drain")
    eventually(lambda: page.wait_for_timeout(100) or viewers(second) == 1 and viewers(first) == 0, 20, "it has moved")
    page.wait_for_timeout(1000)
    intervals = gaps(page.evaluate("window.seen.frames"))
    assert max(intervals) < 300, max(intervals)


def test_a_token_follows_the_redirect_of_a_draining_node(make_cascade, chromium):
    cascade = make_cascade(
        nodes=[Node("origin-1", "origin", viewers=False), Node("edge-1", "edge", "origin-1"),
               Node("edge-2", "edge", "origin-1")],
        watch="{ token_env: CASCADE_PUBLISH_TOKEN }")
    first, second = cascade.edges
    publisher = chromium.publish(cascade.origin.url, "show", TOKEN, "VP8")
    until(publisher, lambda s: s["page"] == "live", 15, "publisher live")
    ask("POST", f"{first.internal}/drain")
    page = chromium.open(f"{first.url}/?broadcast=show#token={TOKEN}")
    until(page, lambda s: s.get("decoded", 0) > 30, 30, "playing")
    assert (viewers(first), viewers(second)) == (0, 1)
    eventually(lambda: second.metrics()["sfu_viewer_event_streams"] == 1, 5, "the token opens the events too")
