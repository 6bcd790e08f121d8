"""Two edges behind a plain round-robin load balancer: whichever a request about a session reaches, it works."""

import contextlib
import http.client
import http.server
import itertools
import threading

import pytest
from chromium import sample, until
from conftest import Node, eventually


class RoundRobin(http.server.ThreadingHTTPServer):
    """Gives every request to the next of its nodes in turn, and remembers which."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Forward)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lock, self.turn, self.seen = threading.Lock(), itertools.count(), []

    def pick(self, method: str, path: str) -> Node:
        with self.lock:
            node = self.nodes[next(self.turn) % len(self.nodes)]
            self.seen.append((method, path, node.name))
            return node


class Forward(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self):
        node = self.server.pick(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection("127.0.0.1", node.public_port, timeout=10)
        upstream.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "connection"})
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_POST = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = forward

    def log_message(self, *_):
        pass


class BehindBalancer(Node):
    def __init__(self, name: str, balancer: RoundRobin):
        super().__init__(name, "edge", "origin-1")
        self.balancer = balancer

    @property
    def url(self) -> str:
        return self.balancer.url


@pytest.fixture
def balancer():
    server = RoundRobin()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


WATCH = """
async ({broadcast}) => {
  const pc = new RTCPeerConnection();
  pc.addTransceiver('video', {direction: 'recvonly'});
  pc.addTransceiver('audio', {direction: 'recvonly'});
  await pc.setLocalDescription();
  const response = await fetch(`/whep/${broadcast}`, {
    method: 'POST', headers: {'content-type': 'application/sdp'}, body: pc.localDescription.sdp});
  if (response.status !== 201) throw new Error(`POST ${response.status}`);
  const answer = await response.text();
  await pc.setRemoteDescription({type: 'answer', sdp: answer});
  window.cascade = {pc, answer, etag: response.headers.get('etag'), resource: response.headers.get('location')};
  return window.cascade.resource;
}
"""

# A PATCH as RFC 9725 §4.3 has it: of the session's present credentials (trickle) or of new ones (restart).
PATCH = """
async ({restart}) => {
  const {pc, resource} = window.cascade;
  if (restart) { pc.restartIce(); await pc.setLocalDescription(); }
  const line = name => pc.localDescription.sdp.match(new RegExp(`^a=${name}:.*$`, 'm'))[0];
  const mid = line('mid'), media = pc.localDescription.sdp.match(/^m=.*$/m)[0];
  const fragment = [line('ice-ufrag'), line('ice-pwd'), media, mid,
    ...(restart ? [] : ['a=candidate:9 1 udp 2130706431 127.0.0.1 40009 typ host']), ''].join('\\r\\n');
  const response = await fetch(resource, {
    method: 'PATCH', body: fragment,
    headers: {'content-type': 'application/trickle-ice-sdpfrag', 'if-match': restart ? '*' : window.cascade.etag}});
  if (restart && response.status === 200) {
    window.cascade.etag = response.headers.get('etag');
    const answer = await response.text();
    const fresh = name => answer.match(new RegExp(`^a=${name}:(.*)$`, 'm'))[1].trim();
    window.cascade.answer = window.cascade.answer
      .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${fresh('ice-ufrag')}`)
      .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${fresh('ice-pwd')}`);
    await pc.setRemoteDescription({type: 'answer', sdp: window.cascade.answer});
  }
  return response.status;
}
"""

# The connection closes after the answer: its DTLS good-bye ends the session too, and would be first.
DELETE = """
async () => {
  const {status} = await fetch(window.cascade.resource, {method: 'DELETE'});
  window.cascade.pc.close();
  return status;
}
"""


def viewers(edges: list[Node]) -> list[float]:
    return [edge.metrics()['sfu_sessions{kind="viewer"}'] for edge in edges]


def test_patch_and_delete_work_whichever_edge_they_reach(make_cascade, balancer, chromium, clip):
    edges = [BehindBalancer(name, balancer) for name in ("edge-a", "edge-b")]
    balancer.nodes = edges
    cascade = make_cascade(nodes=[Node("origin-1", "origin"), *edges])
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")
    page = chromium.open(balancer.url)
    resource = page.evaluate(WATCH, {"broadcast": "show"})
    assert resource.startswith(balancer.url), "Location leads through the balancer"
    owner = resource.rsplit(".", 1)[1]
    until(page, lambda s: s.get("decoded", 0) > 10, 15, "playing")

    # Twenty in a row, by turns to the owner and to the other one; every fourth restarts ICE.
    for n in range(20):
        restart = n % 4 == 3
        assert page.evaluate(PATCH, {"restart": restart}) == (200 if restart else 204), f"PATCH {n}: {balancer.seen[-1]}"
    reached = [name for method, _, name in balancer.seen if method == "PATCH"]
    assert len(reached) == 20 and reached.count(owner) == 10, reached
    before = sample(page)["decoded"]
    until(page, lambda s: s["state"] == "connected" and s["decoded"] > before + 30, 15, "playing after the restarts")
    assert page.evaluate(DELETE) == 200

    # Every session is ended by one DELETE, at once, whoever got it.
    reached = []
    for n in range(20):
        resource = page.evaluate(WATCH, {"broadcast": "show"})
        if n % 2:
            # An odd request in between changes whose turn it is.
            page.evaluate("fetch('/api/ice').then(r => r.status)")
        assert sum(viewers(edges)) == 1
        assert page.evaluate(DELETE) == 200, f"DELETE {n}: {balancer.seen[-1]}"
        reached.append(balancer.seen[-1][2] == resource.rsplit(".", 1)[1])
        assert sum(viewers(edges)) == 0
    assert 0 < reached.count(True) < 20, "both ways were tried"

    # The product's page, which leaves with a DELETE of its own.
    viewer = chromium.watch(balancer.url, "show")
    until(viewer, lambda s: s.get("decoded", 0) > 10, 15, "playing on the product's page")
    viewer.goto("about:blank")
    eventually(lambda: sum(viewers(edges)) == 0, 10, "the page's DELETE arrived")


def test_an_owner_that_is_gone_is_a_retry_and_a_stranger_is_not_found(make_cascade, balancer):
    edges = [BehindBalancer(name, balancer) for name in ("edge-a", "edge-b")]
    balancer.nodes = edges
    cascade = make_cascade(nodes=[Node("origin-1", "origin"), *edges])
    cascade.nodes[1].process.kill()
    cascade.nodes[1].process.wait()

    def delete(name: str) -> tuple[int, str | None]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", edges[1].public_port, timeout=10)) as connection:
            connection.request("DELETE", f"/session/{'A' * 22}.{name}")
            answer = connection.getresponse()
            return answer.status, answer.getheader("Retry-After")

    status, retry = delete("edge-a")
    assert status == 503 and int(retry) > 0
    assert delete("edge-z") == (404, None)
