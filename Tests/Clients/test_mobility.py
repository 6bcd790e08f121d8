"""Browsers whose port changes: after an ICE restart they send from another one, answer the node's check there, and play on
where media had gone to the former one."""

import json

from chromium import sample, until
from conftest import eventually
from firefox import Firefox
from test_any_replica import PATCH, WATCH

# WATCH, pictures, PATCH with new credentials, five seconds more. What was decoded, before and after.
RESTART_IN_FIREFOX = """
async () => {
  const resource = await (%s)({broadcast: 'show'});
  const pc = window.cascade.pc;
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = new MediaStream(pc.getReceivers().map(r => r.track));
  document.body.append(video);
  video.play();
  const decoded = async () => {
    for (const s of (await pc.getStats()).values()) if (s.type === 'inbound-rtp' && s.kind === 'video') return s.framesDecoded;
    return 0;
  };
  const sleep = ms => new Promise(r => setTimeout(r, ms));
  for (let i = 0; i < 100 && !(await decoded() > 10); i++) await sleep(200);
  const status = await (%s)({restart: true});
  await sleep(3000);
  const before = await decoded();
  await sleep(2000);
  return JSON.stringify({resource, status, before, after: await decoded()});
}
""" % (WATCH, PATCH)


def remotes(node, resource: str) -> list[str]:
    """The addresses that a session sent to, in order."""
    debug = json.loads(node.get(f"{node.internal}/debug/sessions/{resource.rsplit('/', 1)[1]}"))
    prefix = "remote selected: "
    return [step["event"].removeprefix(prefix) for step in debug["events"] if step["event"].startswith(prefix)]


def publish(cascade, clip):
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")


def test_chromium_is_followed_to_its_new_port(cascade, chromium, clip):
    publish(cascade, clip)
    edge = cascade.edges[0]
    page = chromium.open(edge.url)
    resource = page.evaluate(WATCH, {"broadcast": "show"})
    until(page, lambda s: s.get("decoded", 0) > 10, 15, "playing")
    first = remotes(edge, resource)[-1]
    assert page.evaluate(PATCH, {"restart": True}) == 200
    eventually(lambda: remotes(edge, resource)[-1] != first, 5, "the new port is used")
    before = sample(page)["decoded"]
    until(page, lambda s: s["state"] == "connected" and s["decoded"] > before + 60, 10, "playing after the restart")


def test_firefox_is_followed_to_its_new_port(cascade, clip):
    publish(cascade, clip)
    edge = cascade.edges[0]
    with Firefox() as firefox:
        seen = firefox.run(edge.url, RESTART_IN_FIREFOX)
        used = remotes(edge, seen["resource"])
    assert seen["status"] == 200
    assert len(set(used)) >= 2, used
    assert seen["after"] > seen["before"] + 20, seen
