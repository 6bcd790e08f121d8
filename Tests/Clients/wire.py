"""wire.py NAMESPACE DEVICE NAMESPACE DEVICE: a cable between two network namespaces, as a program of its own.

It makes a TUN device in each namespace and carries packets between them. Lines on standard input change it, for both
directions: `delay MILLISECONDS`, `loss SHARE` (1: cut, and neither end is told), `burst PACKETS`: how many are lost in a row
on average (1: each by itself), `rate BITS`: so many a second pass in each direction (0: any number), of what waits no more than
300 ms; the rest is lost. It ends with its input, and the devices go with it. A kernel without netem is enough for it.
"""

import collections
import ctypes
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 0x0001, 0x1000, 0x40000000


def device(namespace: str, name: str) -> int:
    """A TUN device belongs to the namespace in which it was opened."""
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    os.close(handle)
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


class Rate:
    """What one direction takes: a queue that drops what finds no room."""

    QUEUE = 0.3

    def __init__(self):
        self.free = 0.0

    def leaves(self, length: int, rate: float) -> float | None:
        now = time.monotonic()
        if not rate:
            return now
        begin = max(now, self.free)
        if begin - now > self.QUEUE:
            return None
        self.free = begin + length * 8 / rate
        return self.free


class Losses:
    """One direction's (Gilbert 1960): bursts of a geometric length, of which none passes."""

    def __init__(self, seed: int):
        self.dice, self.is_bad = random.Random(seed), False

    def takes(self, loss: float, burst: float) -> bool:
        if loss >= 1:
            return True
        into, out_of = loss / (burst * (1 - loss)), 1 / burst
        self.is_bad = self.dice.random() >= out_of if self.is_bad else self.dice.random() < into
        return self.is_bad


def carry(ends: list[int]):
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    delay, loss, burst, rate = 0.0, 0.0, 1.0, 0.0
    losses = {end: Losses(seed) for seed, end in enumerate(ends)}
    rates = {end: Rate() for end in ends}
    # Each direction's in order, so that a change of the delay reorders nothing.
    under_way = {end: collections.deque() for end in ends}
    while True:
        arrivals = [queue[0][0] for queue in under_way.values() if queue]
        wait = max(0.0, min(arrivals) - time.monotonic()) if arrivals else None
        ready = select.select([*ends, sys.stdin.buffer.raw], [], [], wait)[0]
        for end in ready:
            if end not in other:
                line = os.read(end.fileno(), 4096).decode()
                if not line:
                    return
                for command in line.splitlines():
                    what, value = command.split()
                    if what == "delay":
                        delay = float(value) / 1000
                    elif what == "burst":
                        burst = float(value)
                    elif what == "rate":
                        rate = float(value)
                    else:
                        loss = float(value)
                print("ok", flush=True)
                continue
            try:
                packet = os.read(end, 65536)
            except OSError:
                continue
            left = None if losses[end].takes(loss, burst) else rates[end].leaves(len(packet), rate)
            if left is not None:
                under_way[end].append((left + delay, packet))
        for end, queue in under_way.items():
            while queue and queue[0][0] <= time.monotonic():
                _, packet = queue.popleft()
                try:
                    os.write(other[end], packet)
                except OSError:
                    pass  # Its queue is full, or it is down: lost, as on any link.


if __name__ == "__main__":
    ends = [device(*sys.argv[i:i + 2]) for i in (1, 3)]
    print("ok", flush=True)
    carry(ends)
