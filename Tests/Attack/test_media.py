"""What a peer can do with media: its keys are good, its packets are not. Against running processes."""

import json
import re
import time

import pytest
from field import result
from nodes import TOKEN, eventually


@pytest.fixture
def arena(field, clip):
    """A node with a broadcast, an innocent, an attacker and a stranger who has nothing to do with any of it."""
    cascade, node = field.origin()
    innocent, attacker, stranger = (field.soldier(name) for name in ("innocent", "attacker", "stranger"))
    for host in (innocent, attacker, stranger):
        field.wire(node.host, host)
    field.publish(cascade, node, innocent, clip)
    yield cascade, node, innocent, attacker, stranger


def drops(node, reason: str) -> float:
    return node.metrics()[f'sfu_drops_total{{worker="0",reason="{reason}"}}']


@pytest.mark.cheap
def test_sender_reports_of_any_time_end_nothing(field, arena):
    """A1: two sender reports whose NTP times are 2^63 apart ended the process with all its broadcasts."""
    cascade, node, innocent, attacker, _ = arena
    viewer = field.probe(cascade, innocent, "watch", "--url", f"{node.url}/whep/show", "--json", log="viewer")
    said = attacker.run("misuse.py", "reports", f"{node.url}/whip/mine", TOKEN)
    assert said["datagrams"] > 100
    assert node.is_alive(), cascade.log(node.name)
    assert viewer.poll() is None, cascade.log("viewer")
    before = node.metrics()['sfu_rtp_packets_sent_total{worker="0"}']
    eventually(lambda: node.metrics()['sfu_rtp_packets_sent_total{worker="0"}'] > before + 50, 10, "the others play on")
    # It was heard: nothing of it was thrown away before it could do harm.
    assert drops(node, "srtp_authentication") == drops(node, "malformed_rtcp") == 0


@pytest.mark.cheap
def test_a_viewer_cannot_point_its_stream_at_a_stranger(arena):
    """A2: a nominating check in a stranger's name moved the media there, reports from elsewhere kept it there."""
    _, node, _, attacker, stranger = arena
    before = stranger.received()
    said = attacker.run("misuse.py", "nominate", f"{node.url}/whep/show", stranger.address)
    delivered = stranger.received() - before
    print(f"sent in the stranger's name {said['sent']} B, delivered to it {delivered} B; the attacker got {said['got']} B")
    # Checks of ours, seven at most since the last one in its name, no media: less than what was sent there.
    assert delivered < 2 * said["sent"] + 2_000, "no media for a stranger"
    assert said["got"] > 20_000, "its stream goes on to where it was proven"


@pytest.mark.cheap
def test_a_viewer_cannot_take_a_publishers_address(arena):
    """F2: one check of a viewer's session from there, and the publisher's media was the viewer's."""
    cascade, node, innocent, attacker, _ = arena
    log = (cascade.folder / f"{node.name}.log").read_text()
    port = re.search(rf"session connected .*remote={innocent.address}:(\d+) .*purpose=publisher", log)[1]
    before = node.metrics()
    said = attacker.run("misuse.py", "usurp", f"{node.url}/whep/show", innocent.address, port)
    after = node.metrics()
    came = [metrics['sfu_rtp_packets_received_total{worker="0"}'] for metrics in (before, after)]
    print(f"{said}; meanwhile {came[1] - came[0]:.0f} packets of the publisher")
    assert came[1] - came[0] > 4 * 25
    assert drops(node, "srtp_authentication") == drops(node, "wrong_direction") == 0


@pytest.mark.cheap
def test_an_address_that_never_answered_gets_little(arena):
    """A11: one check and one ClientHello in a stranger's name brought it eleven flights, 27 times the bytes."""
    _, node, _, attacker, stranger = arena
    before = stranger.received()
    said = attacker.run("misuse.py", "hello", f"{node.url}/whep/show", stranger.address)
    delivered = stranger.received() - before
    print(f"sent in the stranger's name {said['sent']} B, delivered {delivered} B: {delivered / said['sent']:.1f} times")
    assert delivered < 12 * said["sent"]


@pytest.mark.cheap
def test_strangers_datagrams_and_replays_are_dropped_unanswered(arena):
    _, node, _, attacker, _ = arena
    before = attacker.received()
    said = attacker.run("misuse.py", "strange", f"{node.address}:{node.media_port}")
    # What comes to the attacker's host is what it asked for over HTTP: nothing here.
    assert attacker.received() - before < 1_000
    assert node.is_alive()
    eventually(lambda: drops(node, "unclassified") and drops(node, "unknown_source") and drops(node, "unknown_ufrag"), 5,
               f"{said} are counted")
    said = attacker.run("misuse.py", "replay", f"{node.url}/whip/mine", TOKEN)
    assert drops(node, "srtp_replay") >= said["replayed"]
    assert drops(node, "srtp_authentication") >= said["forged"]


@pytest.mark.cheap
def test_rubbish_behind_the_encryption_ends_nothing(arena):
    """What is decrypted well goes deep: headers, payloads of every codec, reports, feedback, all of them made up."""
    cascade, node, innocent, attacker, _ = arena
    for codec in ("VP8", "H264", "VP9", "AV1"):
        said = attacker.run("misuse.py", "rubbish", f"{node.url}/whip/mine", TOKEN, f"{node.url}/whep/mine", codec)
        print(codec, said)
        assert said["sent"] > 1_000
        assert node.is_alive(), cascade.log(node.name)
    before = node.metrics()['sfu_rtp_packets_received_total{worker="0"}']
    eventually(lambda: node.metrics()['sfu_rtp_packets_received_total{worker="0"}'] > before + 50, 10, "the others go on")


def test_nacks_and_keyframe_requests_without_end_take_nothing_from_others(field, arena):
    """A10: of one viewer, 10,000 datagrams a second with 136 numbers each, and as many requests as it likes."""
    cascade, node, innocent, attacker, _ = arena
    calm, _ = load(node, 4)
    viewer = field.probe(cascade, innocent, "watch", "--url", f"{node.url}/whep/show", "--seconds", "12", "--json",
                         log="viewer")
    time.sleep(2)
    flood = field.start(attacker, "misuse.py", "nacks", f"{node.url}/whep/show", "8", nice=5)
    busy, metrics = load(node, 6)
    said = result(flood)
    assert viewer.wait(30) == 0, cascade.log("viewer")
    final = json.loads((cascade.folder / "viewer.log").read_text().splitlines()[-1])
    print(f"{said['rate']:.0f} NACKs a second: {busy:.0%} of a core, {calm:.0%} without; repairs a second "
          f"{metrics['sfu_rtp_repairs_sent_total']:.0f}, keyframes asked for {metrics['sfu_keyframe_requests_sent_total']:.2f}; "
          f"the other viewer's longest gap {final['longest_gap_ms']} ms")
    assert said["rate"] > 2_000, "the attacker is too slow to be one"
    assert final["video"]["lost"] == 0 and final["freezes"] == 0, final
    assert drops(node, "feedback_budget") > said["sent"] / 2
    # Of its own packets it may have some again; and a picture that is asked for once a second plays.
    assert metrics["sfu_rtp_repairs_sent_total"] < 2_000
    assert metrics["sfu_keyframe_requests_sent_total"] <= 1.1


def load(node, seconds: float) -> tuple[float, dict[str, float]]:
    """Share of a core, and what happened a second by the worker's counters."""
    cpu, before, begin = node.cpu(), node.metrics(), time.monotonic()
    time.sleep(seconds)
    after, passed = node.metrics(), time.monotonic() - begin
    return (node.cpu() - cpu) / passed, {
        name.removesuffix('{worker="0"}'): (value - before[name]) / passed for name, value in after.items()
        if name.endswith('{worker="0"}')}
