"""Bounded things, and somebody who wants all of them: others get theirs, operators see what happens."""

import time

import pytest
from field import AttackedNode, result


@pytest.fixture
def town(field, clip, tone):
    """Starts an origin with a broadcast; an attacker of 20 addresses, who uses one if nothing else is said, and others."""

    def start(**options):
        cascade, node = field.origin(**options)
        attacker, innocent = field.soldier("attacker", addresses=20), field.soldier("innocent", addresses=10)
        for host in (attacker, innocent):
            field.wire(node.host, host)
        # With sound: who joins need not wait for a keyframe.
        field.publish(cascade, node, innocent, clip, "--audio", tone)
        return cascade, node, attacker, innocent

    return start


def where(node) -> tuple[str, int]:
    return node.address, node.public_port


def refused(node, resource: str) -> float:
    return sum(value for name, value in node.metrics().items() if name.startswith(f'sfu_refused_total{{resource="{resource}"'))


@pytest.mark.cheap
def test_idle_connections_of_one_address_keep_nobody_out(field, town):
    """A6: 70 idle connections of a limit of 60, and the others timed out."""
    _, node, attacker, innocent = town(limits="connections: 60")
    field.start(attacker, "flood.py", "idle", 60, *where(node), 70)
    time.sleep(2)
    answers = [node.status("/api/broadcasts", innocent) for _ in range(5)]
    print(answers)
    assert {status for status, _ in answers} == {200}
    assert refused(node, "connections") > 0


@pytest.mark.cheap
def test_a_body_that_does_not_come_is_not_waited_for(town):
    """A6: after a 401 the connection stood open for ever, a byte every five seconds apart."""
    _, node, attacker, _ = town()
    said = attacker.run("slow_body.py", *where(node))
    print(said)
    assert said["status"] == "401"
    assert said["closed_after"] < 10, "it is over with the answer"


def test_half_open_sessions_of_one_address_keep_nobody_out(field, town):
    """A4: 95 POSTs a second of one address took all places in 5.2 s; readiness went with them."""
    _, node, attacker, innocent = town()
    # At once, and a bit longer than it took.
    posts = field.start(attacker, "flood.py", "posts", 10, *where(node), 95)
    crowd = field.start(innocent, "crowd.py", f"{node.url}/whep/show", 10, 3, 5, addresses=10)
    ready = [node.status("/readyz")[0] for _ in range(9) if not time.sleep(1)]
    print(result(posts), said := result(crowd))
    assert not said["refused"] and not said["late"] and said["joins"] > 30
    assert set(ready) == {200}
    assert refused(node, "half_open_viewers") > 0


def test_half_open_sessions_of_many_addresses_give_way_to_those_who_connect(field, town):
    """A4: when all places are taken, those who show nothing go first."""
    _, node, attacker, innocent = town(limits="sessions_half_open: 80, setup_timeout: 30s")
    posts = field.start(attacker, "flood.py", "posts", 10, *where(node), 100, addresses=20)
    time.sleep(1)
    crowd = field.start(innocent, "crowd.py", f"{node.url}/whep/show", 6, 3, 5, addresses=10)
    ready = [node.status("/readyz")[0] for _ in range(7) if not time.sleep(1)]
    print(result(posts), said := result(crowd))
    assert not said["refused"] and not said["late"] and said["joins"] > 15
    assert set(ready) == {200}, "what anybody may do decides nothing"


def test_descriptors_do_not_run_out(field, town):
    """A3: at `ulimit -n 256` three hundred idle connections took all of a core, and every listener was deaf."""
    cascade, node, attacker, innocent = town(descriptors=256)
    one = field.start(attacker, "flood.py", "idle", 8, *where(node), 300)
    time.sleep(3)
    assert node.is_alive(), cascade.log(node.name)
    cpu, begin = node.cpu(), time.monotonic()
    public = [node.status("/api/broadcasts", innocent) for _ in range(5)]
    internal = [node.status(route) for route in ("/healthz", "/readyz") * 3]
    time.sleep(2)
    share = (node.cpu() - cpu) / (time.monotonic() - begin)
    print(result(one), f"{share:.0%} of a core; /healthz at most {max(m for _, m in internal):.0f} ms")
    assert {status for status, _ in public} == {status for status, _ in internal} == {200}
    assert share < 0.5
    # All that the public listener has, by many: those of the house still come in.
    many = field.start(attacker, "flood.py", "idle", 8, *where(node), 300, addresses=20)
    time.sleep(3)
    internal = [node.status(route) for route in ("/healthz", "/readyz") * 3]
    print(result(many))
    assert {status for status, _ in internal} == {200}
    text = (cascade.folder / f"{node.name}.log").read_text()
    assert any(" warning " in line and "descriptor" in line for line in text.splitlines()), text[:2_000]


def test_requests_about_invented_sessions_keep_no_goodbye_out(field, clip):
    """A7: GETs of sessions that another node might have took the places towards it: half of the others' DELETEs got 503."""
    house = field.soldier("node")
    origin = AttackedNode("origin-1", "origin", host=house)
    edges = [AttackedNode(name, "edge", "origin-1", host=house) for name in ("edge-a", "edge-b")]
    attacker, innocent = field.soldier("attacker"), field.soldier("innocent", addresses=10)
    for host in (attacker, innocent):
        field.wire(house, host)
    cascade = field.cascade([origin, *edges])
    field.publish(cascade, origin, innocent, clip)
    path = "/session/AAAAAAAAAAAAAAAAAAAAAA.edge-b"
    gets = field.start(attacker, "flood.py", "gets", 9, *where(edges[0]), 2_000, path, nice=5)
    time.sleep(1)
    said = innocent.run("polite.py", f"{edges[1].url}/whep/show", edges[0].url, 40, addresses=10)
    print(result(gets), said)
    assert said == {"POST": {"201": 40}, "DELETE": {"200": 40}}


def test_a_flood_of_gets_is_bounded_and_delays_nobody(field, town):
    """A13: 25,000 GETs a second of one address were all answered."""
    _, node, attacker, innocent = town()
    calm = innocent.run("crowd.py", f"{node.url}/whep/show", 5, 3, 5, addresses=10)
    gets = field.start(attacker, "flood.py", "gets", 8, *where(node), 5_000, nice=5)
    time.sleep(1)
    busy = innocent.run("crowd.py", f"{node.url}/whep/show", 6, 3, 5, addresses=10)
    said = result(gets)
    print(f"{said}; joins {calm['join_ms']} before, {busy['join_ms']} meanwhile")
    assert not busy["refused"] and not busy["late"]
    assert said["statuses"]["429"] > 0
    # `read_burst`, and ten seconds of `reads_per_second`.
    assert said["statuses"].get("404", 0) + said["statuses"].get("200", 0) < 5_000 + 10 * 1_000
