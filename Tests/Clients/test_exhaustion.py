"""A node that runs out of descriptors, or whose log nobody reads: it goes on, and says so."""

import fcntl
import os
import resource
import socket
import subprocess
import time
import urllib.error
import urllib.request

from conftest import Node, end, eventually, get

FAULTS = "sfu_http_connection_faults_total"


def connect(node: Node) -> socket.socket:
    return socket.create_connection(("127.0.0.1", node.public_port), timeout=5)


def processor_seconds(process: subprocess.Popen) -> float:
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_more_connections_than_descriptors(make_cascade):
    """A hard limit of 256, and 300 idle connections: nodes and operators are answered, and so is the next client."""
    cascade = make_cascade(start=False, nodes=[Node("origin-1", "origin")])
    origin = cascade.origin
    log = open(cascade.folder / "origin-1.log", "ab")
    origin.process = subprocess.Popen(
        [cascade.bin / "origin", "--topology", cascade.topology, "--node", "origin-1"], env=cascade.environment,
        stdout=log, stderr=log, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
    eventually(lambda: answers(f"{origin.internal}/readyz"), 20, "the node is ready")
    idle = [connect(origin) for _ in range(300)]
    for path in ("/healthz", "/readyz"):
        begin = time.monotonic()
        get(origin.internal + path)
        assert time.monotonic() - begin < 2
    refused = 'sfu_refused_total{resource="connections",reason="full"}'
    eventually(lambda: origin.metrics()[refused] >= 100, 10, "all are accepted or refused")
    log = cascade.log("origin-1")
    assert log.count("fewer descriptors than the limits need") == 1 and "connections=128" in log, log
    assert log.count("connections refused") == 1 and "limits.connections" in log, log
    for connection in idle:
        connection.close()
    eventually(lambda: answers(f"{origin.url}/api/ice"), 10, "the public listener answers")


def answers(url: str) -> bool:
    try:
        get(url)
        return True
    except OSError:
        return False


def test_few_descriptors_are_left(make_cascade):
    """Somebody else took them: the public listener leaves the last to nodes and operators, without heat, and goes on by
    itself."""
    cascade = make_cascade(nodes=[Node("origin-1", "origin")])
    origin = cascade.origin
    get(origin.internal + "/healthz")
    limits = resource.prlimit(origin.process.pid, resource.RLIMIT_NOFILE)
    taken = max(int(name) for name in os.listdir(f"/proc/{origin.process.pid}/fd"))
    resource.prlimit(origin.process.pid, resource.RLIMIT_NOFILE, (taken + 40, limits[1]))
    before = processor_seconds(origin.process)
    begin = time.monotonic()
    while time.monotonic() - begin < 2:
        with connect(origin) as refused:
            assert refused.recv(1) == b""
        get(origin.internal + "/healthz")
    assert processor_seconds(origin.process) - before < 1
    assert origin.metrics()[FAULTS + '{listener="public",reason="no_descriptor"}'] >= 2
    assert cascade.log("origin-1").count("no descriptor left for a connection") == 1
    resource.prlimit(origin.process.pid, resource.RLIMIT_NOFILE, limits)
    eventually(lambda: answers(f"{origin.url}/api/ice"), 10, "the public listener answers")


def test_nobody_reads_the_log(make_cascade):
    """A pipe that is full from the first line on: the node works, and ends when it is told to."""
    cascade = make_cascade(start=False, nodes=[Node("origin-1", "origin")])
    origin = cascade.origin
    reading, writing = os.pipe()
    room = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * (room - 1) + b"\n")
    origin.process = subprocess.Popen(
        [cascade.bin / "origin", "--topology", cascade.topology, "--node", "origin-1", "--log-level", "debug"],
        env=cascade.environment, stderr=writing)
    os.close(writing)
    eventually(lambda: answers(f"{origin.internal}/readyz"), 20, "the node is ready")
    for n in range(200):
        refused = urllib.request.Request(f"{origin.url}/whep/nobody-{n}", b"", {"Content-Type": "application/sdp"})
        try:
            urllib.request.urlopen(refused, timeout=5)
            assert False, "there is nothing to watch"
        except urllib.error.HTTPError as error:
            assert error.code == 400
    assert origin.metrics()["sfu_log_lines_dropped_total"] == 0
    begin = time.monotonic()
    origin.process.terminate()
    assert origin.process.wait(20) == 0 and time.monotonic() - begin < 10
    os.close(reading)


def test_the_disk_of_the_log_is_full(make_cascade):
    cascade = make_cascade(start=False, nodes=[Node("origin-1", "origin")])
    origin = cascade.origin
    with open("/dev/full", "wb") as full:
        origin.process = subprocess.Popen(
            [cascade.bin / "origin", "--topology", cascade.topology, "--node", "origin-1"], env=cascade.environment,
            stderr=full)
        eventually(lambda: answers(f"{origin.internal}/readyz"), 20, "the node is ready")
        assert origin.metrics()["sfu_log_lines_dropped_total"] == 0
        assert end(origin.process) == 0
