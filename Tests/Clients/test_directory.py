"""The live directory between real nodes: how soon a broadcast is known everywhere, and for how long; rubbish in it."""

import contextlib
import http.client
import http.server
import json
import re
import socket
import threading
import time

import pytest

from conftest import Node, end, eventually, get
from frames import logged, milliseconds
from test_failover import kill, log_of, watch


def names(node: Node) -> set[str]:
    return {broadcast["name"] for broadcast in json.loads(get(node.url + "/api/broadcasts"))}


def first_sight(node: Node, name: str, seconds: float) -> float:
    """When it is in the node's list; looked at every 5 ms."""
    connection = http.client.HTTPConnection("127.0.0.1", node.public_port, timeout=5)
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        connection.request("GET", "/api/broadcasts")
        body = connection.getresponse().read()
        if any(each["name"] == name for each in json.loads(body)):
            return milliseconds()
        time.sleep(0.005)
    raise AssertionError(f"{node.name} does not know {name} after {seconds} s")


@pytest.fixture
def chain(make_cascade):
    """An edge below an edge below an origin, and one beside them."""
    return make_cascade(nodes=[
        Node("origin-1", "origin"), Node("edge-1", "edge", "origin-1"), Node("edge-2", "edge", "edge-1", region="there"),
        Node("edge-3", "edge", "origin-1", region="there")])


def test_a_broadcast_is_known_two_hops_away_within_100_ms_and_gone_with_its_origin(chain, clip):
    origin, near, far, _ = chain.nodes
    delays = []
    for i in range(3):
        begin = milliseconds()
        chain.probe("publish", "--url", f"{origin.url}/whip/show-{i}", "--file", clip, "--loop", log=f"publisher-{i}")
        seen = first_sight(far, f"show-{i}", 10)
        connected = logged(log_of(chain, origin), "session connected", f"broadcast=show-{i} ", after=begin)
        assert connected, "the log says when it went live"
        delays.append(seen - connected)
    print(f"known two hops away after {', '.join(f'{delay:.0f}' for delay in delays)} ms")
    assert sorted(delays)[1] < 100
    everything = {"show-0", "show-1", "show-2"}
    # A node that starts knows everything when it says that it is ready.
    for edge in (near, far):
        assert end(edge.process) == 0
        chain.start_node(edge)
        assert names(edge) == everything, edge.name
    for edge in chain.edges:
        eventually(lambda: names(edge) == everything, 3, f"{edge.name} knows them all")
    killed = kill(origin)
    gone = {}
    while len(gone) < len(chain.edges):
        for edge in chain.edges:
            if edge.name not in gone and not names(edge):
                gone[edge.name] = milliseconds() - killed
        assert milliseconds() - killed < 8000, f"still listed: { {edge.name: names(edge) for edge in chain.edges} }"
        time.sleep(0.05)
    print("forgotten " + ", ".join(f"at {name} after {delay / 1000:.2f} s" for name, delay in gone.items()))
    # The lease is 2 s.
    assert max(gone.values()) < 6000


@contextlib.contextmanager
def deaf_listener(port: int):
    """Accepts TCP connections and says nothing."""
    with socket.create_server(("127.0.0.1", port), backlog=64) as listener:
        held = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield held
        listener.shutdown(socket.SHUT_RDWR)
        for each in held:
            each.close()


def below_an_impostor(make_cascade):
    """An edge below an origin that the test plays, and a real one; nothing runs yet."""
    return make_cascade(start=False, nodes=[
        Node("origin-odd", "origin"), Node("origin-1", "origin"), Node("edge-1", "edge", "origin-odd, origin-1")])


def test_an_upstream_that_accepts_and_never_answers_delays_nobody_for_long(make_cascade, clip):
    cascade = below_an_impostor(make_cascade)
    deaf, origin, edge = cascade.nodes
    with deaf_listener(deaf.internal_port) as held:
        cascade.start_node(origin)
        cascade.probe("publish", "--url", f"{origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
        eventually(lambda: cascade.live(origin, "show"), 10, "live")
        # At once, before the edge can have found out about the first of its upstreams; and when it has.
        cascade.start_node(edge, "/healthz")
        times = [watch(cascade, edge, "show", 4)["first_keyframe_ms"] for _ in range(2)]
        print(f"first keyframe {times[0]:.0f} ms after the offer, later {times[1]:.0f} ms; {len(held)} connections held")
        assert held, "it was asked"
        assert max(times) < 3000
        assert json.loads(get(edge.internal + "/readyz"))["ready"] is True


class Babbler(http.server.BaseHTTPRequestHandler):
    """Says that it is an origin, and babbles in its directory: among much rubbish, one broadcast that makes sense."""

    protocol_version = "HTTP/1.1"
    facts = {"node": "origin-odd", "role": "origin", "region": "here", "url": "http://127.0.0.1:1", "viewers": True,
             "ready": True, "draining": False, "load": 0.0}
    good = {"name": "odd", "title": "odd", "publication": {"started": 1, "origin": "origin-odd"}, "path": ["origin-odd"],
            "since": "2026-01-01T00:00:00Z", "tracks": [], "encodings": []}
    rubbish = [
        ("announce", "{"), ("announce", "[]"), ("announce", json.dumps({**good, "name": "../etc"})),
        ("announce", json.dumps({**good, "path": []})), ("announce", json.dumps({**good, "path": ["origin-odd"] * 2})),
        ("announce", json.dumps({**good, "path": ["somebody-else"]})), ("withdraw", "null"), ("node", '{"node": 7}'),
        ("snapshot", "\x00\x01"), ("nonsense", "{}"), ("announce", "x" * 100_000),
    ]

    def do_GET(self):
        if self.path != "/relay/directory":
            body = json.dumps(self.facts).encode()
            self.send_response(200 if self.path == "/readyz" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return self.wfile.write(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            # Twice not even a beginning.
            self.server.streams += 1
            if self.server.streams <= 2:
                return self.wfile.write(b"event: snapshot\ndata: {\"node\"\n\n\xff\xfe\x00: data\r\r\n")
            self.say("snapshot", json.dumps({"node": self.facts, "broadcasts": [7, {"name": 1}, self.good]}))
            while not self.server.is_over:
                for event, data in self.rubbish:
                    self.say(event, data)
                self.server.said += len(self.rubbish)
                self.wfile.write(b": heartbeat\n\n\n")
                time.sleep(0.02)

    do_POST = do_GET

    def say(self, event: str, data: str):
        self.wfile.write(f"event: {event}\ndata: {data}\n\n".encode())

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def babbler(port: int):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Babbler)
    server.daemon_threads = True
    server.streams, server.said, server.is_over = 0, 0, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.is_over = True
        server.shutdown()
        server.server_close()


def test_malformed_events_are_counted_and_logged_once_and_harm_nobody(make_cascade, clip):
    cascade = below_an_impostor(make_cascade)
    odd, origin, edge = cascade.nodes
    with babbler(odd.internal_port) as server:
        cascade.start_node(origin)
        cascade.start_node(edge)
        cascade.probe("publish", "--url", f"{origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
        eventually(lambda: names(edge) == {"odd", "show"}, 10, "what makes sense is known")
        malformed = "sfu_directory_malformed_events_total"
        eventually(lambda: server.said > 1000, 10, "much rubbish")
        eventually(lambda: edge.metrics()[malformed] > 1000, 5, "it is counted")
        report = watch(cascade, edge, "show", 3)
        assert report["video"]["frames"] > 60 and report["video"]["lost"] == 0, report
        assert names(edge) == {"odd", "show"}
        log = log_of(cascade, edge).read_text(errors="replace")
        complaints = re.findall(r"^.* warning .*malformed.*$", log, re.MULTILINE)
        print(f"{edge.metrics()[malformed]:.0f} malformed events, {len(complaints)} complaints, first keyframe"
              f" {report['first_keyframe_ms']:.0f} ms after the offer")
        assert 1 <= len(complaints) <= 3, complaints
        assert "xxxx" not in log, "rubbish does not get into the log"
        assert end(edge.process) == 0, cascade.log(edge.name)
