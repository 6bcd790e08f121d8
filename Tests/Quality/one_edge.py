"""The seed's experiment: a publisher at an origin far away, an edge near the viewer, real processes and browsers in network
namespaces.

    publisher + origin ──180 ms── edge ──40 ms── near
                  └──────200 ms───────────────── far          round trips
"""

import contextlib
import pathlib
import sys
import tempfile

import clips
from conftest import Cascade, Node, ReachableNode
from lab import Lab, why_not

RELAY, NEAR, FAR = 180, 40, 200


class World:
    """`keyframe`: seconds between the publisher's keyframes; it makes none when asked."""

    def __init__(self, folder: pathlib.Path, keyframe: int, linger: str = "10s"):
        if reason := why_not():
            sys.exit(f"no network of its own: {reason}")
        self.lab = Lab(folder)
        self.origin_host, self.edge_host, self.near, self.far = map(self.lab.host, ("origin", "edge", "near", "far"))
        self.relay = self.lab.join(self.origin_host, self.edge_host)
        self.last_hop = self.lab.join(self.edge_host, self.near)
        self.direct = self.lab.join(self.origin_host, self.far)
        self.shape()
        self.origin = ReachableNode("origin-1", "origin", host=self.origin_host)
        self.edge = ReachableNode("edge-eu", "edge", "origin-1", host=self.edge_host)
        self.cascade = Cascade(folder, nodes=[self.origin, self.edge], linger=linger)
        self.keyframe = keyframe

    def shape(self, loss: float = 0, burst: float = 1, relay_loss: float = 0):
        """Losses of each direction of the viewers' links, and of the relay's."""
        self.relay.shape(RELAY / 2, relay_loss, burst)
        self.last_hop.shape(NEAR / 2, loss, burst)
        self.direct.shape(FAR / 2, loss, burst)

    def __enter__(self):
        self.cascade.start()
        publish(self.cascade, self.origin, self.keyframe)
        return self

    def __exit__(self, *_):
        self.cascade.stop()
        self.lab.close()


def publish(cascade: Cascade, origin: Node, keyframe: int):
    """720p at 2 Mbit/s and a tone, from where the origin is. The publisher makes no keyframes when asked."""
    picture = clips.picture(cascade.folder / "clip.ivf", "1280x720", max(20, 2 * keyframe), "2000k", keyframe)
    tone = clips.tone(cascade.folder / "tone.ogg", "64k")
    command = [cascade.bin / "probe", "publish", "--url", f"{origin.url}/whip/show", "--file", picture, "--audio", tone,
               "--loop"]
    if origin.host:
        command = origin.host.command(*command, environment=cascade.secrets)
    cascade.run(*command, log="publisher")
    cascade.wait_live("show")


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="cascade-quality-") as folder:
        yield pathlib.Path(folder)
