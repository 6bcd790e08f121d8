"""What viewers see when nodes die, links break and publishers move: real nodes, Chromium, and no new negotiation."""

import json
import signal
import subprocess
import time

import pytest

from conftest import TOKEN, Node, eventually
from frames import Camera, Screen, logged, milliseconds


def sessions(node: Node, kind: str) -> int:
    return int(node.metrics().get(f'sfu_sessions{{kind="{kind}"}}', 0))


def log_of(cascade, node: Node):
    return cascade.folder / f"{node.name}.log"


def kill(node: Node) -> float:
    node.process.send_signal(signal.SIGKILL)
    at = milliseconds()
    node.process.wait()
    return at


@pytest.fixture
def two_origins(make_cascade):
    return make_cascade(nodes=[
        Node("origin-1", "origin"), Node("origin-2", "origin"), Node("edge-eu", "edge", "origin-1, origin-2")])


def test_viewers_follow_a_publisher_to_another_origin_when_theirs_is_killed(two_origins, chromium):
    first, second, edge = two_origins.nodes
    there, here = Camera(chromium, first, TOKEN, audio=True), Camera(chromium, second, TOKEN, audio=True)
    there.go_live("show")
    eventually(lambda: two_origins.live(edge, "show"), 5, "listed at the edge")
    screen = Screen(chromium.watch(edge.url, "show"))
    screen.await_frames(60, 10)
    before = screen.statistics()
    killed = kill(first)
    here.go_live("show")
    there.page.context.close()
    arrived = eventually(lambda: logged(log_of(two_origins, second), "media flows"), 10, "media at the other origin")
    resumed = screen.await_frames(1, 10, after=arrived)[0][0]
    screen.await_frames(60, 10, after=resumed)
    after = screen.statistics()
    print(f"resumed {resumed - arrived:.0f} ms after the first packet at the other origin, {resumed - killed:.0f} ms after"
          f" the kill; the page counts {after['frozen'] - before['frozen']:.2f} s of freezes")
    assert resumed - arrived < 1500
    screen.check_continuity()
    assert after["audio"] > before["audio"] + 50, "sound goes on"
    here.stop()


def test_of_two_origins_with_the_same_broadcast_the_newest_publication_is_shown(two_origins, chromium):
    first, second, edge = two_origins.nodes
    # The larger one first: the browser has one fake camera, and makes smaller pictures of what it gives.
    older = Camera(chromium, first, TOKEN, width=640, height=480)
    newer = Camera(chromium, second, TOKEN, width=320, height=240)
    older.go_live("show")
    eventually(lambda: two_origins.live(edge, "show"), 5, "listed at the edge")
    screen = Screen(chromium.watch(edge.url, "show"))
    screen.await_frames(30, 10, width=640)
    assert (sessions(first, "relay"), sessions(second, "relay")) == (1, 0)
    begin = milliseconds()
    newer.go_live("show")
    arrived = eventually(lambda: logged(log_of(two_origins, second), "media flows", after=begin), 10, "media at the other")
    moved = screen.await_frames(1, 10, after=begin, width=320)[0][0]
    print(f"the newer picture {moved - arrived:.0f} ms after its first packet")
    # Newest wins, and that is the end of it.
    screen.page.wait_for_timeout(10_000)
    frames = screen.frames()
    changes = sum(a[1] != b[1] for a, b in zip(frames, frames[1:]))
    assert changes == 1 and frames[-1][1] == 320, f"{changes} changes"
    assert (sessions(first, "relay"), sessions(second, "relay")) == (0, 1)
    assert edge.metrics()['sfu_sessions_opened_total{kind="upstream"}'] == 2, "no flapping"
    # It ends, and the older one is still there.
    stopped = milliseconds()
    newer.stop()
    back = screen.await_frames(1, 10, after=stopped, width=640)[0][0]
    print(f"the older picture {back - stopped:.0f} ms after the newer publisher's end; longest gap of the whole test:"
          f" {screen.longest_gap(begin, stopped):.0f} ms until then, {screen.longest_gap(stopped, back):.0f} ms after it")
    screen.await_frames(60, 10, after=back, width=640)
    screen.check_continuity()
    older.stop()


def test_a_cut_relay_link_is_replaced_by_the_way_through_a_parent(lab, make_cascade, chromium):
    o, p, e = (lab.host(name) for name in ("origin", "parent", "edge"))
    direct, _, _ = lab.join(e, o), lab.join(e, p), lab.join(p, o)
    origin = Node("origin-1", "origin", host=o)
    parent = Node("edge-parent", "edge", "origin-1", host=p)
    edge = Node("edge-1", "edge", "origin-1, edge-parent", host=e)
    cascade = make_cascade(nodes=[origin, parent, edge])
    camera = Camera(chromium.another(o.chromium()), origin, TOKEN)
    camera.go_live("show")
    eventually(lambda: cascade.live(edge, "show"), 5, "listed at the edge")
    screen = Screen(chromium.another(e.chromium()).watch(edge.url, "show"))
    screen.await_frames(60, 10)
    assert (sessions(origin, "relay"), sessions(parent, "relay")) == (1, 0)
    cut = milliseconds()
    direct.cut()
    detected = eventually(lambda: logged(log_of(cascade, edge), "relay unreachable"), 5, "the edge notices")
    resumed = screen.await_frames(1, 5, after=detected)[0][0]
    screen.await_frames(60, 10, after=resumed)
    print(f"noticed {detected - cut:.0f} ms after the cut, resumed {resumed - detected:.0f} ms later;"
          f" longest gap {screen.longest_gap(cut, resumed):.0f} ms")
    assert resumed - detected < 500
    assert sessions(parent, "relay") == 1
    # It comes back: nobody is disturbed, and there is one relay, whichever way.
    healed = milliseconds()
    direct.heal()
    screen.page.wait_for_timeout(6_000)
    now = milliseconds() - 200
    print(f"longest gap of the 6 s after the link was back: {screen.longest_gap(healed, now):.0f} ms")
    assert screen.longest_gap(healed, now) < 500
    eventually(lambda: sessions(edge, "upstream") == 1, 5, "one relay")
    screen.check_continuity()
    camera.stop()


@pytest.fixture
def hub(make_cascade):
    """Three edges in region `a`, one in `b`. What a dead node has left behind is forgotten soon."""
    return make_cascade(limits="consent_timeout: 5s", nodes=[
        Node("origin-1", "origin", region="a"), *(Node(f"edge-a{n}", "edge", "origin-1", region="a") for n in (1, 2, 3)),
        Node("edge-b1", "edge", "origin-1", region="b")])


def test_one_copy_for_each_region_and_a_hub_that_is_killed_is_replaced(hub, chromium):
    origin = hub.origin
    region = hub.edges[:3]
    camera = Camera(chromium, origin, TOKEN, fps=15)
    camera.go_live("show")
    for edge in hub.edges:
        eventually(lambda: hub.live(edge, "show"), 5, f"listed at {edge.name}")
    screens = {edge.name: Screen(chromium.watch(edge.url, "show")) for edge in hub.edges}
    for screen in screens.values():
        screen.await_frames(30, 10)
    assert sessions(origin, "relay") == 2
    below = {edge.name: sessions(edge, "relay") for edge in region}
    assert sorted(below.values()) == [0, 0, 2], f"one feeds the other two: {below}"
    first = next(edge for edge in region if below[edge.name])
    rest = [edge for edge in region if edge is not first]
    before = {edge.name: screens[edge.name].statistics() for edge in rest}
    killed = kill(first)
    screens.pop(first.name).page.context.close()
    copies = [2]
    while milliseconds() < killed + 3000:
        copies.append(sessions(origin, "relay"))
        time.sleep(0.05)
    for edge in rest:
        screen = screens[edge.name]
        screen.await_frames(1, 5, after=killed + 3000)
        gap = screen.longest_gap(killed, killed + 3000)
        after = screen.statistics()
        print(f"{edge.name}: longest gap {gap:.0f} ms; the page counts {after['freezes'] - before[edge.name]['freezes']} freezes,"
              f" {after['frozen'] - before[edge.name]['frozen']:.2f} s")
        assert gap < 1000
        screen.check_continuity()
    # A node that was killed says no good-bye: a copy for nobody ends with consent.
    assert max(copies) <= 3, copies
    eventually(lambda: sessions(origin, "relay") == 2, 10, "two copies again")
    print(f"two copies again {(milliseconds() - killed) / 1000:.1f} s after the kill, {max(copies)} at most")
    below = sorted(sessions(edge, "relay") for edge in rest)
    assert below == [0, 1], f"one of the two feeds the other: {below}"
    gap = screens["edge-b1"].longest_gap(killed, killed + 3000)
    print(f"edge-b1, which has nothing to do with it: longest gap {gap:.0f} ms")
    assert gap < 500
    screens["edge-b1"].check_continuity()
    # The one that was killed is back: it fetches for all again, and nobody sees how.
    hub.start_node(first)
    back = milliseconds()
    copies = []
    eventually(lambda: copies.append(sessions(origin, "relay")) or sessions(first, "relay") == 2, 30, "the hub feeds both")
    moved = milliseconds()
    eventually(lambda: sessions(origin, "relay") == 2, 5, "two copies")
    assert max(copies) <= 3, copies
    eventually(lambda: [sessions(edge, "relay") for edge in rest] == [0, 0], 5, "nobody else feeds anybody")
    for edge in rest:
        screen = screens[edge.name]
        screen.await_frames(1, 5, after=moved + 2000)
        gap = screen.longest_gap(back, moved + 2000)
        print(f"{edge.name}: longest gap {gap:.0f} ms while the hub takes over again")
        assert gap < 300
        screen.check_continuity()
    print(f"the hub feeds both again {(moved - back) / 1000:.1f} s after its start, {max(copies)} copies at most")
    camera.stop()


def test_a_cascade_of_three_edges_plays_in_the_last_one(make_cascade, clip):
    cascade = make_cascade(nodes=[
        Node("origin-1", "origin"), Node("edge-1", "edge", "origin-1"), Node("edge-2", "edge", "edge-1"),
        Node("edge-3", "edge", "edge-2")])
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    last = cascade.edges[-1]
    eventually(lambda: cascade.live(last, "show"), 10, "listed in the last one")
    report = watch(cascade, last, "show", 5)
    print(f"first keyframe {report['first_keyframe_ms']:.0f} ms after the offer")
    assert report["video"]["frames"] > 120 and report["video"]["lost"] == 0, report
    assert [sessions(node, "relay") for node in cascade.nodes] == [1, 1, 1, 0]


def test_upstreams_in_a_circle_are_refused(make_cascade):
    cascade = make_cascade(start=False, nodes=[
        Node("origin-1", "origin"), Node("edge-1", "edge", "origin-1, edge-3"), Node("edge-2", "edge", "edge-1"),
        Node("edge-3", "edge", "edge-2")])
    for arguments in (["--check"], []):
        result = subprocess.run(
            [cascade.bin / "edge", "--topology", cascade.topology, "--node", "edge-1", *arguments],
            env=cascade.environment, capture_output=True, text=True, timeout=20)
        assert result.returncode == 78, result
        assert "the upstreams form a circle" in result.stderr + result.stdout, result


def watch(cascade, edge: Node, name: str, seconds: float) -> dict:
    """What `probe watch` says at the end."""
    run = subprocess.run(
        [cascade.bin / "probe", "watch", "--url", f"{edge.url}/whep/{name}", "--seconds", str(seconds), "--json"],
        env=cascade.environment, capture_output=True, text=True, timeout=seconds + 40)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])
