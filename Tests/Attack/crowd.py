"""crowd.py ADDRESS,… URL SECONDS VIEWERS JOINS: well-behaved viewers, each from one of the addresses: VIEWERS who stay, and
JOINS a second who come, see their first packet and go. In the end a line of JSON: gaps, times of joins, refusals.

Times of arrival are the kernel's, so that this program's own slowness is not measured.
"""

import collections
import concurrent.futures
import json
import pathlib
import select
import socket
import struct
import sys
import tempfile
import time

from peer import AUDIO, VIDEO, Peer, Refused
from secure import Identity

SO_TIMESTAMPNS = 35
PATIENCE = 5.0


class Viewer(Peer):
    def __init__(self, source: str, identity: Identity):
        super().__init__(source, identity)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.begun, self.first, self.last = time.time(), None, {}
        self.gaps = collections.defaultdict(float)

    def read(self, now: float):
        for _ in range(64):
            try:
                datagram, ancillary, _, sender = self.socket.recvmsg(2_048, 64)
            except BlockingIOError:
                return
            if not datagram or self.receive(datagram, now, sender) != "rtp":
                continue
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            arrived, kind = seconds + nanoseconds / 1e9, datagram[1] & 0x7F
            self.first = self.first or arrived
            if kind in self.last:
                self.gaps[kind] = max(self.gaps[kind], arrived - self.last[kind])
            self.last[kind] = arrived


class Crowd:
    def __init__(self, url: str, addresses: list[str], folder: pathlib.Path):
        self.url, self.addresses, self.identity = url, addresses, Identity(folder)
        self.poll, self.present, self.staying = select.epoll(), {}, []
        self.opened: list[concurrent.futures.Future] = []
        self.joined, self.refused, self.late, self.ended = [], collections.Counter(), 0, 0
        self.http, self.turn = concurrent.futures.ThreadPoolExecutor(16), 0

    def invite(self, stays: bool):
        self.turn += 1
        address = self.addresses[self.turn % len(self.addresses)]
        self.opened.append(self.http.submit(lambda: (Viewer(address, self.identity).open(self.url), stays)))

    def welcome(self):
        for future in [future for future in self.opened if future.done()]:
            self.opened.remove(future)
            try:
                viewer, stays = future.result()
            except Refused as refusal:
                self.refused[refusal.status] += 1
            except OSError as error:
                self.refused[type(error).__name__] += 1
            else:
                self.present[viewer.socket.fileno()] = viewer
                self.poll.register(viewer.socket.fileno(), select.EPOLLIN)
                if stays:
                    self.staying.append(viewer)

    def leave(self, viewer: Viewer):
        self.present.pop(viewer.socket.fileno())
        self.poll.unregister(viewer.socket.fileno())
        viewer.close()
        self.http.submit(viewer.delete)

    def turn_once(self):
        for descriptor, _ in self.poll.poll(0.02):
            self.present[descriptor].read(time.monotonic())
        self.welcome()
        now, clock = time.monotonic(), time.time()
        for viewer in list(self.present.values()):
            viewer.tick(now)
            if viewer in self.staying:
                continue
            if viewer.first:
                self.joined.append(viewer.first - viewer.begun)
                self.leave(viewer)
            elif clock > viewer.begun + PATIENCE:
                self.late += 1
                self.leave(viewer)

    def run(self, seconds: float, viewers: int, joins: float):
        for _ in range(viewers):
            self.invite(stays=True)
        settled = time.monotonic() + 20
        while time.monotonic() < settled and (
                sum(viewer.first is not None for viewer in self.staying) + self.refused.total() < viewers):
            self.turn_once()
        for viewer in self.staying:
            viewer.gaps.clear()
        print("ready", flush=True)
        begin, invited = time.monotonic(), 0
        while (passed := time.monotonic() - begin) < seconds:
            while invited < passed * joins:
                self.invite(stays=False)
                invited += 1
            self.turn_once()
        end = time.time()
        # Also the one that has not ended.
        gaps = {kind: [max(v.gaps[kind], end - v.last[kind]) for v in self.staying if kind in v.last]
                for kind in (VIDEO, AUDIO)}
        return {
            "viewers": len(self.staying), "video_gaps_ms": spread(gaps[VIDEO]), "audio_gaps_ms": spread(gaps[AUDIO]),
            "joins": len(self.joined), "join_ms": spread(self.joined), "late": self.late, "refused": self.refused}


def spread(seconds: list[float]) -> dict:
    """Milliseconds."""
    values = sorted(round(value * 1000, 1) for value in seconds) or [0]
    return {"p50": values[len(values) // 2], "p95": values[(len(values) * 95 - 1) // 100], "max": values[-1]}


if __name__ == "__main__":
    addresses, url, seconds, viewers, joins = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        crowd = Crowd(url, addresses.split(","), pathlib.Path(folder))
        print(json.dumps(crowd.run(float(seconds), int(viewers), float(joins))), flush=True)
    crowd.http.shutdown(cancel_futures=True)
