"""What the player says when there is no picture, and how it comes back: whole nodes, real refusals, networks that go."""

from chromium import sample, until
from conftest import TOKEN, Node, ReachableNode, end, eventually

def reason(page, expected: str, seconds: float = 15) -> str:
    """Waits until the page says so; what people read."""
    page.locator(f"body[data-reason={expected}]").wait_for(timeout=seconds * 1000)
    assert page.get_by_role("status").is_visible()
    return page.locator("#notice-title").inner_text()


def publish(cascade, clip):
    return cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")


def test_a_broadcast_is_not_live_yet_then_pauses_ends_and_comes_back(make_cascade, chromium, clip):
    cascade = make_cascade(hold="4s")
    page = chromium.watch(cascade.edges[0].url, "show")
    assert reason(page, "not-live") == "Not live yet"
    publisher = publish(cascade, clip)
    until(page, lambda s: s["page"] == "playing", 30, "it begins by itself")
    assert end(publisher) == 0
    assert reason(page, "paused") == "The broadcast has paused"
    assert reason(page, "ended", 30) == "The broadcast has ended"
    publish(cascade, clip)
    until(page, lambda s: s["page"] == "playing", 30, "it comes back by itself")


def test_full_and_not_allowed(make_cascade, chromium, clip):
    cascade = make_cascade(limits="viewers: 1", watch="{ token_env: CASCADE_PUBLISH_TOKEN }")
    publish(cascade, clip)
    url = f"{cascade.edges[0].url}/?broadcast=show"
    for fragment in ("", "#token=wrong"):
        assert reason(chromium.open(url + fragment), "not-allowed") == "You may not watch this"
    first = chromium.open(f"{url}#token={TOKEN}")
    until(first, lambda s: s["page"] == "playing", 30, "the first viewer plays")
    second = chromium.open(f"{url}#token={TOKEN}")
    assert reason(second, "full") == "Full at the moment"
    first.close(run_before_unload=False)
    until(second, lambda s: s["page"] == "playing", 45, "it takes the place that is free")


class Unreachable(Node):
    """By HTTP it is there; its media address, of a network for documentation, leads nowhere."""

    def yaml(self) -> str:
        return super().yaml().replace("workers: 1", 'workers: 1, advertise: ["203.0.113.1"]')


def test_a_node_whose_media_does_not_get_through(make_cascade, chromium, clip):
    cascade = make_cascade(nodes=[Node("origin-1", "origin"), Unreachable("edge-1", "edge", "origin-1")])
    publish(cascade, clip)
    cascade.wait_live("show")
    page = chromium.watch(cascade.edges[0].url, "show")
    assert reason(page, "no-udp", 40) == "The picture cannot get through to here"


def test_the_network_goes_and_another_comes(lab, make_cascade, chromium, clip):
    """In the same page, over the same connection: an ICE restart, and no new session."""
    server, viewer = lab.host("server"), lab.host("viewer")
    cable = lab.join(server, viewer)
    cascade = make_cascade(nodes=[ReachableNode("origin-1", "origin", host=server)])
    cascade.run(
        *server.command(
            cascade.bin / "probe", "publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop",
            environment=cascade.secrets), log="publisher")
    eventually(lambda: '"show"' in server.get(f"{cascade.origin.url}/api/broadcasts"), 15, "show live")
    page = chromium.another(viewer.chromium()).open(f"{cascade.origin.url}/?broadcast=show")
    until(page, lambda s: s.get("decoded", 0) > 60 and s["page"] == "playing", 30, "playing")
    page.evaluate("window.first = window.cascade.pc")
    page.evaluate(FRAMES)
    cable.leave(viewer)
    page.wait_for_timeout(4000)
    assert page.evaluate("document.body.dataset.reason") == "reconnecting"
    before = sample(page)["decoded"]
    cable.arrive(viewer, "10.77.0.99")
    page.evaluate("window.back = performance.now()")
    until(page, lambda s: s["decoded"] > before + 30 and s["page"] == "playing", 15, "playing again")
    assert page.evaluate("window.first === window.cascade.pc"), "the same connection"
    gap = page.evaluate("window.frames.find(at => at > window.back) - window.back")
    print(f"picture {gap:.0f} ms after the network")
    assert gap < 5000


FRAMES = """
() => {
  window.frames = [];
  const {video} = window.cascade;
  const note = now => { window.frames.push(now); video.requestVideoFrameCallback(note); };
  video.requestVideoFrameCallback(note);
}
"""


def test_people_without_a_mouse_and_without_eyes(cascade, chromium, clip, tone):
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--audio", tone, "--loop", log="publisher")
    cascade.wait_live("show")
    page = chromium.watch(cascade.edges[0].url, "show")
    until(page, lambda s: s.get("decoded", 0) > 30 and s["page"] == "playing", 30, "playing")
    assert page.get_by_role("heading", level=1).inner_text() == "show"
    for role in ("button", "link", "combobox", "textbox"):
        for control in page.get_by_role(role).all():
            assert control.evaluate("each => each.innerText || each.ariaLabel || each.labels?.[0]?.innerText"), control
    # In the order of the page, each with an outline.
    seen = []
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", seen
    assert seen == ["brand", "sound", "measure", "pip"], seen
    page.keyboard.press("m")
    page.get_by_role("button", name="Turn sound off").wait_for()
    assert page.evaluate("window.cascade.video.muted") is False
    page.keyboard.press("m")
    page.get_by_role("button", name="Turn sound on").wait_for()
    page.locator(".screens").click()
    page.get_by_role("button", name="Turn sound off").wait_for()
    page.keyboard.press("f")
    page.get_by_role("button", name="Leave full screen").wait_for()
    page.wait_for_timeout(500)
    page.keyboard.press("f")
    page.get_by_role("button", name="Full screen", exact=True).wait_for()
    # Keys are letters where something is written.
    page.get_by_role("button", name="Measurements").click()
    page.get_by_label("Loss setting").press_sequentially("from memory")
    assert page.get_by_label("Loss setting").input_value() == "from memory"
    assert page.evaluate("[window.cascade.video.muted, document.fullscreenElement]") == [False, None]
    assert not chromium.messages
