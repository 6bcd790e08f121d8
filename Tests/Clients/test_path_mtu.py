"""A viewer behind a tunnel: full packets are longer than the path takes, and he has the picture all the same.

node ── router ── viewer, whose cable takes 1,400 bytes. The publisher's packets make datagrams of up to 1,484.
"""

import json
import socket

import pytest

import clips
from conftest import ReachableNode, eventually, free_port
from lab import administer

MTU = 1_400


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    return clips.picture(tmp_path_factory.mktemp("clips") / "720p.ivf", "1280x720", 2, "2500k")


def fragmented(host) -> int:
    """Datagrams that `host` has fragmented."""
    names, values = (
        line.split() for line in host.get("file:///proc/net/snmp").splitlines() if line.startswith("Ip:"))
    return int(values[names.index("FragOKs")])


def publish_full_packets(cascade, host, picture):
    """By FFmpeg and `probe`: of up to 1,440 bytes, headers included, which SRTP, UDP and IP make 1,484."""
    port, description = free_port(socket.SOCK_DGRAM), cascade.folder / "stream.sdp"
    cascade.run(
        *host.command(
            "ffmpeg", "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", picture, "-c", "copy",
            "-f", "rtp", "-sdp_file", description, f"rtp://127.0.0.1:{port}?pkt_size=1440"), log="ffmpeg")
    eventually(description.exists, 10, "FFmpeg sends")
    cascade.run(
        *host.command(
            cascade.bin / "probe", "publish", "--url", f"{cascade.origin.url}/whip/show", "--rtp-video", port,
            "--sdp", description, environment=cascade.secrets), log="publisher")
    cascade.wait_live("show")


def watch(cascade, host, seconds: int) -> dict:
    process = cascade.run(
        *host.command(
            cascade.bin / "probe", "watch", "--url", f"{cascade.origin.url}/whep/show", "--seconds", seconds, "--json",
            environment=cascade.secrets), log="viewer")
    process.wait(seconds + 30)
    return json.loads((cascade.folder / "viewer.log").read_text().splitlines()[-1])


@pytest.mark.parametrize("who_knows", ["the router may tell", "nobody is told", "the node's route says"])
def test_a_viewer_behind_a_narrow_link_plays_full_packets(lab, make_cascade, picture, who_knows):
    node, router, viewer = (lab.host(name) for name in ("node", "router", "viewer"))
    lab.join(node, router)
    lab.join(router, viewer).narrow(MTU)
    lab.route(node, router, viewer)
    if who_knows == "nobody is told":
        # As where ICMP is filtered: what the router itself says does not reach the node.
        administer("-n", router.namespace, "rule", "add", "to", node.address, "iif", "lo", "blackhole")
    if who_knows == "the node's route says":
        administer("-n", node.namespace, "route", "replace", viewer.address, "via", router.address, "mtu", MTU)
    cascade = make_cascade(nodes=[ReachableNode("origin-1", "origin", host=node)])
    publish_full_packets(cascade, node, picture)

    seen = watch(cascade, viewer, 5)
    print(who_knows, seen, fragmented(node), fragmented(router))
    assert fragmented(node) + fragmented(router) > 300, "the packets were too long for the link"
    video = seen["video"]
    assert video["lost"] == 0 and video["frames"] > 100 and video["keyframes"] >= 3, seen
    assert seen["freezes"] == 0 and seen["longest_gap_ms"] < 500, seen
    if who_knows == "the node's route says":
        assert fragmented(router) == 0
        counted = cascade.origin.metrics()['sfu_host_datagrams_fragmented_total{family="ipv4"}']
        assert counted == fragmented(node), "what the node's kernel fragments is counted"
