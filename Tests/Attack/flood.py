"""flood.py ADDRESS,… WHAT SECONDS HOST PORT …: does its worst over HTTP or UDP, from these addresses in turn. In the end a
line of JSON.

    idle COUNT      connections that say nothing, opened again when they are closed
    slow COUNT      POSTs whose body comes a byte a second
    posts RATE      offers that nobody means to connect with
    gets RATE PATH  on 64 connections; answers are read and thrown away
    stun RATE       checks of sessions that do not exist
"""

import collections
import itertools
import json
import os
import select
import socket
import sys
import time

from peer import STUN, offer


def connect(target, source: str) -> socket.socket:
    """Not waited for."""
    made = socket.socket()
    made.setblocking(False)
    made.bind((source, 0))
    made.connect_ex(target)
    return made


class Connections:
    """So many connections, each opened again when the other side ends it."""

    def __init__(self, target, count: int):
        self.target, self.poll, self.open = target, select.epoll(), {}
        self.count, self.ended, self.most = count, 0, 0
        self.sources = itertools.cycle(SOURCES)

    def fill(self):
        for _ in range(min(20, self.count - len(self.open))):
            made = connect(self.target, next(self.sources))
            self.open[made.fileno()] = [made, time.monotonic(), False]
            self.poll.register(made.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLHUP)
        self.most = max(self.most, len(self.open))

    def drop(self, descriptor: int):
        self.poll.unregister(descriptor)
        self.open.pop(descriptor)[0].close()
        self.ended += 1

    def turn(self, greeting: bytes) -> collections.Counter:
        """Says `greeting` on new connections; counts statuses of answers."""
        self.fill()
        statuses = collections.Counter()
        for descriptor, events in self.poll.poll(0.05):
            made, _, greeted = self.open[descriptor]
            try:
                if events & select.EPOLLOUT and not greeted:
                    if greeting:
                        made.send(greeting)
                    self.open[descriptor][2] = True
                    self.poll.modify(descriptor, select.EPOLLIN | select.EPOLLHUP)
                if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                    answer = made.recv(4_096)
                    if not answer:
                        self.drop(descriptor)
                    elif answer.startswith(b"HTTP/1.1 "):
                        statuses[answer[9:12].decode()] += 1
            except BlockingIOError:
                pass
            except OSError:
                self.drop(descriptor)
        return statuses


def idle(seconds: float, target, count: str) -> dict:
    connections, end = Connections(target, int(count)), time.monotonic() + seconds
    while time.monotonic() < end:
        connections.turn(b"")
        time.sleep(0.05)
    return {"held": connections.most, "ended": connections.ended, "now": len(connections.open)}


def slow(seconds: float, target, count: str) -> dict:
    connections, end = Connections(target, int(count)), time.monotonic() + seconds
    head = b"POST /whep/show HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: 4000\r\n\r\n"
    statuses, longest, due = collections.Counter(), 0.0, 0.0
    while time.monotonic() < end:
        statuses += connections.turn(head)
        now = time.monotonic()
        if now >= due:
            due = now + 1
            for descriptor, (made, begun, greeted) in list(connections.open.items()):
                longest = max(longest, now - begun)
                if greeted:
                    try:
                        made.send(b"v")
                    except OSError:
                        connections.drop(descriptor)
        time.sleep(0.05)
    return {"ended": connections.ended, "longest": longest, "statuses": statuses}


def posts(seconds: float, target, rate: str) -> dict:
    body = offer(("video", "audio"), "recvonly").replace("\n", "\r\n").encode()
    message = (b"POST /whep/show HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n"
               % len(body)) + body
    return pipelined(seconds, target, float(rate), message, at_once=1)


def gets(seconds: float, target, rate: str, path: str = "/session/AAAAAAAAAAAAAAAAAAAAAA.origin-1") -> dict:
    return pipelined(seconds, target, float(rate), b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode(), at_once=20, lines=64)


def pipelined(seconds: float, target, rate: float, message: bytes, at_once: int, lines: int = 8) -> dict:
    """The same request again and again on some connections, many in a packet."""
    lines = max(lines, len(SOURCES))
    connections = [None] * lines
    statuses, asked, begin = collections.Counter(), 0, time.monotonic()
    while (passed := time.monotonic() - begin) < seconds:
        while asked < rate * (time.monotonic() - begin):
            place = asked // at_once % lines
            asked += at_once
            try:
                if connections[place] is None:
                    connections[place] = socket.create_connection(target, 1, (SOURCES[place % len(SOURCES)], 0))
                    connections[place].setblocking(False)
                connections[place].send(message * at_once)
            except BlockingIOError:
                pass
            except OSError:
                connections[place] = None
                statuses["closed"] += 1
                break
        for place, connection in enumerate(connections):
            try:
                while connection and (answer := connection.recv(1 << 16)):
                    for part in answer.split(b"HTTP/1.1 ")[1:]:
                        statuses[part[:3].decode()] += 1
                if connection:
                    connections[place] = None
            except BlockingIOError:
                pass
            except OSError:
                connections[place] = None
        time.sleep(0.005)
    return {"rate": asked / passed, "statuses": statuses}


def stun(seconds: float, target, rate: str) -> dict:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((SOURCES[0], 0))
    sender.connect(target)
    checks = [STUN.message(0x0001, os.urandom(12), [(STUN.USERNAME, os.urandom(4).hex().encode() + b":abcd")], b"guess")
              for _ in range(1_000)]
    sent, begin = 0, time.monotonic()
    while (passed := time.monotonic() - begin) < seconds:
        for check in checks[:100]:
            try:
                sender.send(check)
            except OSError:
                pass
        sent += 100
        time.sleep(max(0.0, sent / float(rate) - (time.monotonic() - begin)))
    return {"rate": sent / passed}


if __name__ == "__main__":
    sources, what, seconds, host, port, *more = sys.argv[1:]
    SOURCES = sources.split(",")
    print(json.dumps(globals()[what](float(seconds), (host, int(port)), *more)))
