"""A browser's three encodings, and a browser whose link gets worse and better: it has the one that fits.

publisher, origin, edge ── viewer
"""

from chromium import plays, sample, until
from conftest import TOKEN, ReachableNode
from test_browsers import SIMULCAST


def test_a_viewer_has_the_encoding_that_fits_his_link(lab, make_cascade, chromium):
    node, home = lab.host("node"), lab.host("home")
    cable = lab.join(node, home)
    cable.shape(20)
    origin = ReachableNode("origin-1", "origin", host=node)
    edge = ReachableNode("edge-eu", "edge", "origin-1", host=node)
    make_cascade(nodes=[origin, edge])
    # A camera is for secure pages only.
    studio = chromium.another(node.chromium(), f"--unsafely-treat-insecure-origin-as-secure={origin.url}")
    publisher = studio.open(f"{origin.url}/publish")
    publisher.evaluate(SIMULCAST, {"url": f"{origin.url}/whip/show", "token": TOKEN})
    publisher.wait_for_timeout(8_000)  # until its encoder sends all that it is going to

    viewer = chromium.another(home.chromium()).watch(edge.url, "show")
    until(viewer, lambda s: s.get("width") == 1280, 20, "the largest where there is room")
    plays(viewer, seconds=3)
    assert edge.metrics()['sfu_rungs_down_total{worker="0"}'] == 0

    # Less than the largest takes, more than the smallest.
    cable.limit(500_000)
    began = sample(viewer)
    small = until(viewer, lambda s: s["width"] == 320, 10, "the one that fits")
    assert small["frozen"] - began["frozen"] < 2, (began, small)
    later = plays(viewer, seconds=5)
    assert later[-1]["lost"] - later[0]["lost"] < 40, later
    cable.limit(20_000_000)
    until(viewer, lambda s: s["width"] == 1280, 20, "the largest again")
    plays(viewer, seconds=3)
    print("steps", {name: value for name, value in edge.metrics().items() if "rung" in name or "probe" in name})
