"""misuse.py ADDRESS WHAT …: one peer that abuses its session. Says what it did in a line of JSON."""

import json
import os
import pathlib
import random
import struct
import sys
import tempfile
import time

from peer import STUN, Peer, fir, nack, pli, receiver_report, rtp, sender_report, socket_at, vp8
from secure import Handshake, Identity


def connected(url: str, **how) -> Peer:
    with tempfile.TemporaryDirectory() as folder:
        return Peer(ADDRESS, Identity(pathlib.Path(folder))).open(url, **how).connect()


def passing(peer: Peer, seconds: float) -> int:
    """Bytes that came meanwhile."""
    return sum(len(datagram) for _, datagram in peer.datagrams(seconds))


def reports(url: str, token: str) -> dict:
    """A publisher's sender reports with all distances of NTP times that are awkward in two's complement."""
    peer = connected(url, kinds=("video",), direction="sendonly", token=token)
    for sequence in range(20):
        peer.send(peer.sealing.seal_rtp(rtp(vp8(sequence % 10 == 0), sequence, 3_000 * sequence)))
        passing(peer, 0.03)
    edges = [0, 1, 1 << 31, 1 << 32, 60 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1]
    now = int((time.time() + 2_208_988_800) * (1 << 32))
    sent = 0
    for base in (now, 0, 1 << 63, (1 << 64) - 1):
        for distance in [*edges, *(-edge for edge in edges)]:
            pair = sender_report(7, base, 0) + sender_report(7, base + distance, (1 << 32) - 1)
            peer.send(peer.sealing.seal_rtcp(pair))
            peer.send(peer.sealing.seal_rtcp(sender_report(7, base + distance, 1 << 31)))
            sent += 2
        passing(peer, 0.2)
    peer.delete()
    return {"datagrams": sent}


def nominate(url: str, victim: str) -> dict:
    """Points the stream at another: a nominating check in its name now and then, and reports from here."""
    peer = connected(url)
    passing(peer, 1)
    stranger = socket_at(victim)
    sent, end = 0, time.monotonic() + 5
    rounds, got = 0, 0
    while time.monotonic() < end:
        if rounds < 3:
            datagram = peer.check()
            sent += stranger.sendto(datagram, peer.remote) + 42
            rounds += 1
        peer.send(peer.sealing.seal_rtcp(receiver_report()))
        got += passing(peer, 1)
    return {"sent": sent, "got": got}


def usurp(url: str, address: str, port: str) -> dict:
    """Checks of this session from where another's peer lives."""
    peer = connected(url)
    other = socket_at(address, int(port))
    sent, end = 0, time.monotonic() + 4
    while time.monotonic() < end:
        sent += other.sendto(peer.check(), peer.remote) > 0
        passing(peer, 0.1)
    return {"sent": sent}


def hello(url: str, victim: str) -> dict:
    """A check and a ClientHello in a stranger's name, and nothing more."""
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(ADDRESS, Identity(pathlib.Path(folder))).open(url)
    stranger = socket_at(victim)
    datagrams = [peer.check(), *Handshake(peer.identity).advance()]
    sent = sum(stranger.sendto(datagram, peer.remote) + 42 for datagram in datagrams)
    time.sleep(6)
    return {"sent": sent}


def strange(target: str) -> dict:
    """Datagrams of every class (RFC 7983) and size from one who has no session."""
    host, port = target.split(":")
    sender = socket_at(ADDRESS)
    count = 0
    for first in range(256):
        for size in (1, 2, 12, 13, 20, 60, 200, 1_400):
            sender.sendto(bytes([first]) + os.urandom(size - 1), (host, int(port)))
            count += 1
        check = STUN.message(0x0001, os.urandom(12), [(STUN.USERNAME, os.urandom(4).hex().encode() + b":abcd")], b"guess")
        sender.sendto(check, (host, int(port)))
        time.sleep(0.001)
    time.sleep(0.5)
    try:
        answered = len(sender.recv(2_048))
    except BlockingIOError:
        answered = 0
    assert not answered, "a stranger is answered"
    return {"datagrams": count}


def replay(url: str, token: str) -> dict:
    peer = connected(url, kinds=("video",), direction="sendonly", token=token)
    packets = [peer.sealing.seal_rtp(rtp(vp8(n == 0), n, 3_000 * n)) for n in range(100)]
    for packet in packets:
        peer.send(packet)
    passing(peer, 0.2)
    for number, packet in enumerate(packets, 100):
        peer.send(packet)
        forged = peer.sealing.seal_rtp(rtp(vp8(False), number, 3_000 * number))
        peer.send(forged[:20] + bytes([forged[20] ^ 1]) + forged[21:])
    passing(peer, 0.5)
    peer.delete()
    return {"replayed": len(packets) // 2, "forged": len(packets) // 2}


def rubbish(url: str, token: str, watched: str, codec: str) -> dict:
    """Media and reports that are sealed well and are otherwise rubbish, of a publisher and of a viewer of its broadcast."""
    dice = random.Random(codec)
    publisher = connected(url, kinds=("video",), direction="sendonly", token=token, codec=codec)
    sent = 0

    def media(count: int):
        nonlocal sent
        for _ in range(count):
            start = dice.choice([b"", b"\x10", b"\x90\x80", b"\x78\x00\x04", b"\x7c\x85", b"\x5c\x85", b"\x18", b"\x8f",
                                 b"\xff" * 4, b"\x67", b"\x65", b"\x0a\x0a"])
            payload = start + dice.randbytes(dice.choice([0, 1, 2, 3, 7, 30, 300]))
            packet = bytearray(rtp(payload, dice.choice([sent, dice.randrange(1 << 16)]), dice.randrange(1 << 32),
                                   dice.choice([7, 7, 7, dice.randrange(1 << 32)]), marker=dice.random() < 0.5))
            if dice.random() < 0.3:
                # Padding of any length, extensions and sources that may not be there.
                packet[0] ^= dice.choice([0x20, 0x10, 0x0F, 0x21])
            sent += seal(publisher, publisher.sealing.seal_rtp, bytes(packet))
        passing(publisher, 0.01)

    def feedback(peer: Peer, count: int):
        nonlocal sent
        for _ in range(count):
            packet = b""
            for _ in range(dice.randrange(1, 4)):
                body = dice.choice([b"", (7).to_bytes(4, "big")]) + dice.choice([dice.randbytes, bytes])(
                    4 * dice.choice([0, 1, 2, 5, 6, 12, 40]))
                words = len(body) // 4 if dice.random() < 0.7 else dice.randrange(1 << 16)
                packet += bytes([0x80 | dice.choice([0, 1, 4, 15, 31, 0x20]), dice.randrange(200, 208)])
                packet += words.to_bytes(2, "big") + body
            sent += seal(peer, peer.sealing.seal_rtcp, packet if len(packet) >= 8 else packet + bytes(8))
        passing(peer, 0.01)

    # Something has to come before anybody may watch.
    for _ in range(10):
        media(20)
    viewer = connected(watched, kinds=("video",), codec=codec)
    for _ in range(15):
        media(60)
        feedback(publisher, 30)
        feedback(viewer, 6)
    viewer.delete()
    publisher.delete()
    return {"sent": sent}


def seal(peer: Peer, function, packet: bytes) -> bool:
    """What libsrtp itself takes for no packet is not sent."""
    try:
        peer.send(function(packet))
        return True
    except AssertionError:
        return False


def nacks(url: str, seconds: str, rate: str = "10000") -> dict:
    """The same numbers again and again, of packets that the history has, and a wish for a keyframe with every tenth."""
    peer = connected(url)
    media, newest = 0, 0
    for what, datagram in peer.datagrams(1):
        if what == "rtp" and datagram[1] & 0x7F == 96:
            newest, _, media = struct.unpack_from("!HII", datagram, 2)
    assert media, "no video to ask for"
    begin, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begin) < float(seconds):
        for _ in range(100):
            packet = nack(media, range(newest - 136, newest, 17))
            if sent % 10 == 0:
                packet += fir(media, sent // 10) if sent % 20 else pli(media)
            peer.send(peer.sealing.seal_rtcp(packet))
            sent += 1
        # What came is read and thrown away; the newest numbers are what a repair is to be had of.
        for what, datagram in peer.datagrams(0.001):
            if what == "rtp" and datagram[1] & 0x7F == 96 and datagram[8:12] == media.to_bytes(4, "big"):
                newest = int.from_bytes(datagram[2:4], "big")
        time.sleep(max(0, sent / float(rate) - (time.monotonic() - begin)))
    return {"rate": sent / passed, "sent": sent}


if __name__ == "__main__":
    _, ADDRESS, what, *arguments = sys.argv
    print(json.dumps(globals()[what](*arguments)))
