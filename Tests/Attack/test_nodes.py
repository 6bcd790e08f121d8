"""What surrounds a node turns on it: a node above, the reader of its log, the folder in which it looks for nodes."""

import fcntl
import http.server
import json
import os
import re
import subprocess
import threading
import time

import pytest
from nodes import TOKEN, Cascade, Node, end, eventually, get
from peer import offer, request

pytestmark = pytest.mark.cheap

SDP = {"Content-Type": "application/sdp"}


@pytest.fixture
def cascade_of(tmp_path):
    """A cascade of these nodes on loopback; nothing is started."""
    made = []

    def make(nodes: list[Node], **options) -> Cascade:
        made.append(Cascade(tmp_path, nodes=nodes, **options))
        return made[-1]

    yield make
    for cascade in made:
        cascade.stop()


# MARK: A node above

class Server(http.server.ThreadingHTTPServer):
    """Remembers what it was asked."""

    daemon_threads = True

    def __init__(self, port: int = 0, answer=lambda handler: (404, {}, b"")):
        super().__init__(("127.0.0.1", port), Answering)
        self.answer, self.seen = answer, []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Answering(http.server.BaseHTTPRequestHandler):
    def respond(self):
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization")))
        status, headers, body = self.server.answer(self)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = respond

    def log_message(self, *_):
        pass


def answer_to(text: str) -> str:
    """An SDP answer that agrees to the first format of every section and sends from nowhere."""
    head, *sections = re.split(r"(?m)^(?=m=)", text.replace("\r\n", "\n"))
    mids = re.search(r"(?m)^a=group:BUNDLE (.*)$", head)[1]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}", "a=ice-lite"]
    for section in sections:
        kind, _, protocol, first = section.split("\n")[0].removeprefix("m=").split(" ")[:4]
        lines += [f"m={kind} 9 {protocol} {first}", "c=IN IP4 0.0.0.0", "a=sendonly", "a=rtcp-mux", "a=setup:passive",
                  "a=ice-ufrag:abcdefgh", "a=ice-pwd:abcdefghijklmnopqrstuvwx",
                  "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "a=candidate:1 1 udp 1 127.0.0.1 9 typ host"]
        lines += re.findall(rf"(?m)^a=(?:mid:.*|rtpmap:{first} .*)$", section)
        lines += re.findall(rf"(?m)^a=fmtp:{first} .*$", section)
    lines = [line if line.startswith(("a=", "m=", "c=", "v=", "o=", "s=", "t=")) else f"a={line}" for line in lines]
    return "\r\n".join(lines) + "\r\n"


@pytest.mark.parametrize("how", ["redirect", "location"])
def test_a_node_above_cannot_send_the_token_elsewhere(cascade_of, how):
    """A8: a relay followed 307 to any host with the node token; the farewell went to any `Location`, with token."""
    origin, edge = Node("origin-1", "origin"), Node("edge-eu", "edge", "origin-1")
    elsewhere = Server()

    def hostile(handler):
        if handler.path == "/readyz":
            facts = {"node": "origin-1", "role": "origin", "region": "here", "url": "", "viewers": False, "ready": True}
            return 200, {"Content-Type": "application/json"}, json.dumps(facts).encode()
        if handler.command != "POST":
            return 404, {}, b""
        if how == "redirect":
            return 307, {"Location": elsewhere.url + handler.path}, b""
        return 201, {"Location": f"{elsewhere.url}/session/stolen", "Content-Type": "application/sdp"}, answer_to(
            handler.content).encode()

    above = Server(origin.internal_port, hostile)
    try:
        cascade = cascade_of([edge, origin], limits="setup_timeout: 1s")
        cascade.origin = origin
        cascade.start_node(edge)
        body = offer(("video", "audio"), "recvonly").replace("\n", "\r\n")
        status, _, text = request("POST", f"{edge.url}/whep/show", "127.0.0.1", body, SDP)
        asked = [seen for seen in above.seen if seen[:2] == ("POST", "/relay/show")]
        assert asked and asked[0][2].startswith("Bearer "), above.seen
        # Time for a farewell: a session that does not come about is given up.
        time.sleep(3)
        end(edge.process)
        print(status, text, elsewhere.seen)
        assert not elsewhere.seen, "asked where nobody told us to, with " + str(elsewhere.seen[0][2])
    finally:
        above.close()
        elsewhere.close()


# MARK: The log

def test_a_reader_that_stalls_stops_nothing(cascade_of):
    """A5: the pipe was full, and no request was answered while `/healthz` said 200."""
    node = Node("origin-1", "origin")
    cascade = cascade_of([node], limits="requests_per_second: 10000, request_burst: 10000")
    node.process = subprocess.Popen(
        [cascade.bin / "origin", "--topology", cascade.topology, "--node", node.name, "--log-level", "debug"],
        env=cascade.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    pipe = node.process.stderr
    fcntl.fcntl(pipe, 1031, 4096)  # F_SETPIPE_SZ
    eventually(lambda: answers(node, "/readyz"), 20, "ready")
    headers = {"Authorization": f"Bearer {TOKEN}", **SDP}
    body = offer(("video",), "sendonly").replace("\n", "\r\n")
    begin = time.monotonic()
    for turn in range(100):
        status, created, _ = request("POST", f"{node.url}/whip/show", "127.0.0.1", body, headers, timeout=5)
        assert status == 201
        assert request("DELETE", created["Location"], "127.0.0.1", headers=headers, timeout=5)[0] == 200
    print(f"100 sessions in {time.monotonic() - begin:.1f} s, with nobody reading")
    assert answers(node, "/readyz") and answers(node, "/metrics")
    assert node.metrics()["sfu_log_lines_dropped_total"] == 0, "so little waits"
    # The reader is back: nothing is lost.
    lines = []
    reading = threading.Thread(target=lambda: lines.extend(pipe), daemon=True)
    reading.start()
    eventually(lambda: sum(b"session closed" in line for line in lines) == 100, 10, "every line comes")
    assert end(node.process) == 0
    reading.join(5)


def answers(node, route: str) -> bool:
    try:
        return bool(get(node.internal + route))
    except OSError:
        return False


# MARK: The folder of endpoint slices

def yaml_bomb() -> str:
    """Nine levels, each of nine of the one below: 10^8 nodes."""
    names = "abcdefghi"
    return "a: &a [x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n" for below, name in zip(names, names[1:]))


def test_a_hostile_folder_tells_nothing_and_stops_nothing(cascade_of, tmp_path):
    """A14: links were followed, and the log showed the first word of what they led to."""
    folder, secret = tmp_path / "slices", tmp_path / "shadow"
    folder.mkdir()
    secret.write_text("hunter2-of-the-attack-suite:x:0:0:root:/root:/bin/sh\n")
    for number, suffix in enumerate(("json", "yaml", "yml")):
        (folder / f"link-{number}.{suffix}").symlink_to(secret)
    (folder / "zero.json").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo.yaml")
    (folder / "folder.json").mkdir()
    (folder / "deep.json").write_text("[" * 200_000)
    (folder / "bomb.yaml").write_text(yaml_bomb())
    for number in range(3_000):
        (folder / f"z-{number}.json").touch()
    edge = Node("edge-eu", "edge", f"{{ endpoint_slices: {{ directory: {folder}, service: origins }} }}")
    cascade = cascade_of([Node("origin-1", "origin"), edge])
    cascade.start_node(edge, route="/healthz")
    eventually(lambda: "endpoint slices not usable" in (tmp_path / "edge-eu.log").read_text(), 10, "it is said")
    time.sleep(2)
    assert answers(edge, "/healthz")
    log = (tmp_path / "edge-eu.log").read_text()
    assert "hunter2" not in log, [line for line in log.splitlines() if "hunter2" in line][:1]
    print(f"{len(log)} bytes of log")
    assert len(log) < 2_000_000
    assert end(edge.process) == 0, "and it ends when it is told to"
