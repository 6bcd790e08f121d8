"""A scripted WHIP or WHEP client: it knows the protocols well enough to abuse them. One UDP socket, one session."""

import http.client
import hmac
import os
import select
import socket
import struct
import time
import urllib.parse
import zlib

from secure import SRTP, Handshake, Identity

MAGIC = 0x2112A442
IP_TRANSPARENT = 19
VIDEO, AUDIO = 96, 111

OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE {mids}
a=ice-ufrag:{ufrag}
a=ice-pwd:{password}
a=fingerprint:sha-256 {fingerprint}
a=setup:active
"""
SECTIONS = {
    "video": """m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:0
a={direction}
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 {codec}/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 ccm fir
""",
    "audio": """m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:1
a={direction}
a=rtcp-mux
a=rtpmap:111 opus/48000/2
""",
}


def offer(kinds, direction: str, ufrag="abcd", password="abcdefghijklmnopqrstuvwx", fingerprint=":".join(["00"] * 32),
          codec="VP8") -> str:
    """Without credentials and a fingerprint: one that nobody can connect with."""
    mids = " ".join({"video": "0", "audio": "1"}[kind] for kind in kinds)
    head = OFFER.format(mids=mids, ufrag=ufrag, password=password, fingerprint=fingerprint)
    return head + "".join(SECTIONS[kind].format(direction=direction, codec=codec) for kind in kinds)


def request(method: str, url: str, source: str, body: str | bytes = "", headers: dict | None = None, timeout: float = 10):
    """Status, header fields and body. From the address `source`."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout, source_address=(source, 0))
    try:
        connection.request(method, parts.path or "/", body or None, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode(errors="replace")
    finally:
        connection.close()


def socket_at(address: str, port: int = 0) -> socket.socket:
    """Bound to an address; also to a stranger's, whose name the datagrams then bear (nothing comes back)."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind((address, port))
    except OSError:
        made.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        made.bind((address, port))
    made.setblocking(False)
    return made


class STUN:
    USERNAME, INTEGRITY, PRIORITY, USE_CANDIDATE = 0x0006, 0x0008, 0x0024, 0x0025
    XOR_MAPPED_ADDRESS, FINGERPRINT, CONTROLLING = 0x0020, 0x8028, 0x802A

    @staticmethod
    def message(kind: int, transaction: bytes, attributes, password: bytes) -> bytes:
        body = b"".join(
            struct.pack("!HH", type, len(value)) + value + bytes(-len(value) % 4) for type, value in attributes)
        head = struct.pack("!HHI", kind, len(body) + 24, MAGIC) + transaction
        code = hmac.digest(password, head + body, "sha1")
        body += struct.pack("!HH", STUN.INTEGRITY, 20) + code
        head = struct.pack("!HHI", kind, len(body) + 8, MAGIC) + transaction
        return head + body + struct.pack("!HHI", STUN.FINGERPRINT, 4, zlib.crc32(head + body) ^ 0x5354554E)


class Refused(Exception):
    def __init__(self, status: int, body: str):
        super().__init__(f"{status}: {body[:200]}")
        self.status = status


class Peer:
    """Life of one: `open` (HTTP), then `receive` and `tick` as time passes, or `connect`, which does both."""

    CHECKS_EVERY = 3.0

    def __init__(self, source: str, identity: Identity):
        self.source, self.identity = source, identity
        self.socket = socket_at(source)
        self.ufrag, self.password = os.urandom(4).hex(), os.urandom(12).hex()
        self.handshake: Handshake | None = None
        self.sealing: SRTP | None = None
        self.opening: SRTP | None = None
        self.checked = self.pushed = 0.0
        self.answers_checks = True

    # MARK: Signalling

    def open(self, url: str, kinds=("video", "audio"), direction: str = "recvonly", token: str | None = None,
             codec: str = "VP8"):
        text = offer(kinds, direction, self.ufrag, self.password, self.identity.fingerprint, codec)
        self.authorization = {"Authorization": f"Bearer {token}"} if token else {}
        status, headers, answer = request(
            "POST", url, self.source, text.replace("\n", "\r\n"), {"Content-Type": "application/sdp", **self.authorization})
        if status != 201:
            raise Refused(status, answer)
        host = urllib.parse.urlsplit(url)
        self.resource = urllib.parse.urljoin(url, headers["Location"])
        lines = answer.splitlines()
        value = lambda name: next(line for line in lines if line.startswith(f"a={name}:")).split(":", 1)[1]
        self.remote_ufrag, self.remote_password = value("ice-ufrag"), value("ice-pwd").encode()
        candidates = [line.split() for line in lines if line.startswith("a=candidate:")]
        self.remote = next((c[4], int(c[5])) for c in candidates if c[4] == host.hostname)
        return self

    def delete(self):
        return request("DELETE", self.resource, self.source, headers=self.authorization)[0]

    # MARK: Transport

    def check(self, nominate: bool = True) -> bytes:
        """A connectivity check; whoever sends it."""
        attributes = [
            (STUN.USERNAME, f"{self.remote_ufrag}:{self.ufrag}".encode()), (STUN.PRIORITY, struct.pack("!I", 1 << 24)),
            (STUN.CONTROLLING, bytes(8)), *([(STUN.USE_CANDIDATE, b"")] if nominate else [])]
        return STUN.message(0x0001, os.urandom(12), attributes, self.remote_password)

    def send(self, datagram: bytes):
        try:
            self.socket.sendto(datagram, self.remote)
        except BlockingIOError:
            pass

    def tick(self, now: float):
        if now >= self.checked + (0.2 if self.sealing is None else self.CHECKS_EVERY):
            self.checked = now
            self.send(self.check())
        if self.sealing is None and self.handshake and now >= self.pushed + 1:
            self._push(b"", now)

    def receive(self, datagram: bytes, now: float, sender=None) -> str:
        """What it was: stun, dtls, rtp or rtcp."""
        first = datagram[0]
        if first < 4:
            kind = int.from_bytes(datagram[:2], "big")
            if kind == 0x0001 and self.answers_checks:
                self.send(self._answer(datagram, sender or self.remote))
            elif kind == 0x0101 and self.handshake is None:
                self.handshake = Handshake(self.identity)
                self._push(b"", now)
            return "stun"
        if first < 64:
            if self.handshake and self.sealing is None:
                self._push(datagram, now)
            return "dtls"
        return "rtcp" if 64 <= datagram[1] & 0x7F < 96 else "rtp"

    def _answer(self, check: bytes, sender) -> bytes:
        address = struct.pack("!BBHI", 0, 1, sender[1] ^ MAGIC >> 16,
                              int.from_bytes(socket.inet_aton(sender[0]), "big") ^ MAGIC)
        return STUN.message(0x0101, check[8:20], [(STUN.XOR_MAPPED_ADDRESS, address)], self.password.encode())

    def _push(self, datagram: bytes, now: float):
        self.pushed = now
        for flight in self.handshake.advance(datagram):
            self.send(flight)
        if self.handshake.is_done:
            ours, theirs = self.handshake.keys()
            self.sealing, self.opening = SRTP(ours), SRTP(theirs, inbound=True)

    def datagrams(self, seconds: float):
        """Everything that arrives meanwhile, as (what, datagram); keeps the session alive."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self.tick(now)
            if not select.select([self.socket], [], [], min(0.05, end - now))[0]:
                continue
            try:
                datagram, sender = self.socket.recvfrom(2_048)
            except BlockingIOError:
                continue
            if datagram:
                yield self.receive(datagram, now, sender), datagram

    def connect(self, seconds: float = 10):
        """Until there are keys."""
        end = time.monotonic() + seconds
        while self.sealing is None:
            if time.monotonic() > end:
                raise TimeoutError(f"no DTLS with {self.remote} within {seconds} s")
            for _ in self.datagrams(0.02):
                if self.sealing:
                    break
        return self

    def close(self):
        self.socket.close()
        if self.handshake:
            self.handshake.close()
        for half in (self.sealing, self.opening):
            if half:
                half.close()


# MARK: Packets

def rtp(payload: bytes, sequence: int, timestamp: int, ssrc: int = 7, payload_type: int = VIDEO, marker: bool = True):
    return struct.pack("!BBHII", 0x80, (0x80 if marker else 0) | payload_type, sequence & 0xFFFF,
                       timestamp & 0xFFFFFFFF, ssrc) + payload


def vp8(keyframe: bool, size: int = 200) -> bytes:
    """RFC 7741: the beginning of partition 0; the lowest bit of the frame header is 0 in a keyframe."""
    start = b"\x10\x10\x00\x00\x9d\x01\x2a\x40\x00\x40\x00" if keyframe else b"\x10\x11\x00\x00"
    return start + bytes([0xAB]) * size


def sender_report(ssrc: int, ntp: int, timestamp: int) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, ntp & (1 << 64) - 1, timestamp & 0xFFFFFFFF, 0, 0)


def receiver_report(sender: int = 1) -> bytes:
    return struct.pack("!BBHI", 0x80, 201, 1, sender)


def nack(media: int, sequences, sender: int = 1) -> bytes:
    """Each of `sequences` and the sixteen after it (RFC 4585 §6.2.1)."""
    wanted = b"".join(struct.pack("!HH", sequence & 0xFFFF, 0xFFFF) for sequence in sequences)
    return struct.pack("!BBHII", 0x81, 205, 2 + len(wanted) // 4, sender, media) + wanted


def fir(media: int, number: int, sender: int = 1) -> bytes:
    return struct.pack("!BBHIIIBxxx", 0x84, 206, 4, sender, 0, media, number & 0xFF)


def pli(media: int, sender: int = 1) -> bytes:
    return struct.pack("!BBHII", 0x81, 206, 2, sender, media)
