"""resolve.py SERVER NAME SOURCE [SUBNET]: asks SERVER for the IPv4 addresses of NAME from the address SOURCE, on behalf of SUBNET
(EDNS client subnet, RFC 7871) if there is one. Prints the TTL and the addresses. A program, since it runs on a test's host."""

import ipaddress
import socket
import struct
import sys


def question(name: str, subnet: str | None) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    header = struct.pack("!6H", 4242, 0, 1, 0, 0, 1 if subnet else 0)
    query = header + labels + b"\0" + struct.pack("!2H", 1, 1)
    if subnet:
        network = ipaddress.ip_network(subnet)
        address = network.network_address.packed[: (network.prefixlen + 7) // 8]
        option = struct.pack("!HBB", 1, network.prefixlen, 0) + address
        option = struct.pack("!2H", 8, len(option)) + option
        query += b"\0" + struct.pack("!2HIH", 41, 1232, 0, len(option)) + option
    return query


def skip_name(answer: bytes, at: int) -> int:
    while answer[at] and answer[at] < 0xC0:
        at += 1 + answer[at]
    return at + (1 if answer[at] == 0 else 2)


def addresses(answer: bytes) -> tuple[int, list[str]]:
    code, records = struct.unpack("!H", answer[2:4])[0] & 15, struct.unpack("!H", answer[6:8])[0]
    assert code == 0, f"answer code {code}"
    at = skip_name(answer, 12) + 4
    found, ttl = [], 0
    for _ in range(records):
        at = skip_name(answer, at)
        kind, _, ttl, length = struct.unpack("!2HIH", answer[at:at + 10])
        if kind == 1:
            found.append(socket.inet_ntoa(answer[at + 10:at + 14]))
        at += 10 + length
    return ttl, sorted(found)


def main():
    server, name, source, *rest = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.settimeout(2)
        s.sendto(question(name, rest[0] if rest else None), (server, 53))
        ttl, found = addresses(s.recv(4096))
    print(ttl, *found)


if __name__ == "__main__":
    main()
