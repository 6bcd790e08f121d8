"""What was tried and held, and has to stay: shapes of requests, names, tokens. A node on loopback is enough."""

import base64
import hashlib
import hmac
import json
import re
import socket
import subprocess
import time

import pytest
from nodes import SECRET, TOKEN, Cascade, Node, bin_path
from peer import offer

pytestmark = pytest.mark.cheap

WATCH_TOKEN = "watch-token-of-the-attack-suite"
SDP = {"Content-Type": "application/sdp"}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node("origin-1", "origin")
    cascade = Cascade(
        tmp_path_factory.mktemp("held"), nodes=[node], watch="{ token_env: CASCADE_WATCH_TOKEN }",
        limits="requests_per_second: 10000, request_burst: 10000")
    cascade.environment["CASCADE_WATCH_TOKEN"] = WATCH_TOKEN
    cascade.start()
    yield node
    cascade.stop()


@pytest.fixture(autouse=True)
def alive(node):
    yield
    assert node.process.poll() is None, "the node is gone"


def exchange(port: int, data: bytes, seconds: float = 1.5) -> bytes:
    """All that is answered until the other side closes, or says nothing more for a while."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(seconds)
        try:
            connection.sendall(data)
            while part := connection.recv(1 << 16):
                answer += part
        except OSError:
            pass
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


def ask(port: int, method: str, path: str, headers: dict | None = None, body: str = "") -> tuple[int, bytes]:
    fields = {"Host": "a", "Connection": "close", **(headers or {})}
    if body:
        fields["Content-Length"] = str(len(body))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
    answer = exchange(port, head.encode() + body.encode(), 5)
    return (statuses(answer) or [0])[0], answer


SMUGGLED = b"GET /api/ice HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("fields", [
    b"Content-Length: 6\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 6",
    b"Content-Length: 0\r\nContent-Length: 36", b"Content-Length: 36, 0", b"Content-Length: +0", b"Content-Length: -1",
    b"Content-Length: 0x0", b"Content-Length: 18446744073709551616", b"Content-Length : 0",
    b"Transfer-Encoding: xchunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding:\x0bchunked", b"X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 99",
    b"\x00Transfer-Encoding: chunked",
], ids=repr)
def test_a_request_hides_no_other(node, fields):
    """Two parties that disagree about where it ends: the second request would be somebody else's."""
    head = b"POST /whip/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\n" + fields + b"\r\n\r\n"
    answer = exchange(node.public_port, head + b"0\r\n\r\n" + SMUGGLED)
    assert b"iceServers" not in answer, answer
    # What is left over is a request to nobody.
    assert statuses(answer)[1:] in ([], [400]), answer


@pytest.mark.parametrize("message", [
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(50_000)) + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 4_000_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 4_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /whip/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1;" + b"x" * 4_000_000 + b"\r\nv\r\n0\r\n\r\n",
    b"POST /whip/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"fffffffffffffffff\r\n" + b"v" * 1_000_000,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 600,
], ids=["fields", "field", "url", "chunk-extension", "chunk-length", "tls"])
def test_bombs_are_refused(node, message):
    answer = exchange(node.public_port, message)
    assert all(status >= 400 for status in statuses(answer)), answer[:200]
    assert ask(node.public_port, "GET", "/api/ice")[0] == 200


@pytest.mark.parametrize("path", [
    "/metrics", "//metrics", "/./metrics", "/../metrics", "/%6detrics", "/metrics/", "/metrics?x", "/metrics#x",
    "/session/../metrics", "/session/%2e%2e/metrics", "/whep/..%2fmetrics", "/metrics%00", "/metrics;x", "/METRICS",
    "\\metrics", "/healthz", "/readyz", "/drain", "/relay/show", "/relay/directory", "/forwarded/session/x.origin-1",
    "/debug/sessions/a", "http://127.0.0.1/metrics",
])
def test_no_path_of_the_public_listener_leads_to_internal_routes(node, path):
    for method in ("GET", "POST"):
        status, answer = ask(node.public_port, method, path)
        assert status in (400, 404, 405), (status, answer[:200])
        assert b"sfu_" not in answer and b'"instance"' not in answer


@pytest.mark.parametrize("host", [
    'evil"><script>', "evil.example/path", "user@evil.example", "evil.example:99999", "evil example", "[::1", "a\tb",
    "evil.example?x", "évil",
])
def test_a_host_that_is_none_is_not_repeated(node, host):
    status, answer = ask(node.public_port, "POST", "/whip/mine", {
        "Host": host, "Authorization": f"Bearer {TOKEN}", **SDP}, offer(("video",), "sendonly"))
    head = answer.split(b"\r\n\r\n")[0]
    assert status in (201, 400, 409)
    assert not re.search(rb"(?im)^(location|link):.*(evil|\[|script|a\tb|vil)", head), head


def test_one_host_and_only_one(node):
    """A13: none or two were answered 200 (RFC 9112 §3.2)."""
    assert statuses(exchange(node.public_port, b"GET /api/ice HTTP/1.1\r\n\r\n")) == [400]
    assert statuses(exchange(node.public_port, b"GET /api/ice HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")) == [400]


@pytest.mark.parametrize("name", [
    "a%00b", "a%0d%0aX-Evil:%20y", "a" * 129, "%", "%zz", "*", "a*", "a%2fb", "caf%C3%A9", "", "<script>",
])
def test_names_that_are_none(node, name):
    status, answer = ask(node.public_port, "POST", f"/whip/{name}", {"Authorization": f"Bearer {TOKEN}", **SDP},
                         offer(("video",), "sendonly"))
    assert status in (400, 404), (status, answer[:300])
    assert b"X-Evil" not in answer.split(b"\r\n\r\n")[0]


@pytest.fixture
def session(node) -> str:
    """Path of a publisher's session."""
    status, answer = ask(node.public_port, "POST", "/whip/held", {"Authorization": f"Bearer {TOKEN}", **SDP},
                         offer(("video",), "sendonly"))
    assert status == 201, answer
    path = "/session/" + re.search(rb"(?im)^location:.*/session/(\S+)", answer)[1].decode()
    yield path
    ask(node.public_port, "DELETE", path, {"Authorization": f"Bearer {TOKEN}"})


def test_a_session_obeys_the_token_that_opened_it(node, session):
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
    for token, expected in ((None, 401), (WATCH_TOKEN, 403), ("guess", 403), (node_token("held", "origin-1"), 403)):
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        for method, path, headers in (("DELETE", session, {}), ("PATCH", session, fragment)):
            status, answer = ask(node.public_port, method, path, {**authorization, **headers})
            assert status == expected, (token, method, answer[:200])
        # A publisher's session has no events; nobody learns so without its token.
        status, _ = ask(node.public_port, "POST", session + "/events", {**authorization, "Content-Type": "application/json"})
        assert status in (401, 403, 404)
    assert ask(node.public_port, "GET", session)[0] == 200, "it is there"
    # Not on the other listener.
    assert ask(node.internal_port, "DELETE", session, {"Authorization": f"Bearer {TOKEN}"})[0] == 404


def test_what_a_session_says_is_not_kept_by_caches(node, session):
    """A13"""
    _, answer = ask(node.public_port, "GET", session)
    assert re.search(rb"(?im)^cache-control:.*no-store", answer), answer


# MARK: Node tokens

def base64url(data: bytes, padded: bool = False) -> str:
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def node_token(broadcast: str, node: str, header: dict | None = None, secret: str = SECRET, signed: bool = True,
               padded: bool = False, padded_code: bool = False, **claims) -> str:
    now = int(time.time())
    header = header if header is not None else {"alg": "HS256", "typ": "JWT"}
    claims = {"iss": "edge-x", "aud": [broadcast, f"node:{node}"], "iat": now, "exp": now + 60, **claims}
    text = ".".join(base64url(json.dumps(part).encode(), padded) for part in (header, claims))
    code = hmac.digest(secret.encode(), text.encode(), hashlib.sha256) if signed else b""
    return text + "." + base64url(code, padded or padded_code)


def relay(node, token: str | None) -> int:
    """409: the token is good, and nobody publishes."""
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return ask(node.internal_port, "POST", "/relay/nobody", {**authorization, **SDP}, offer(("video",), "recvonly"))[0]


def test_a_good_node_token_is_taken(node):
    assert relay(node, node_token("nobody", "origin-1")) == 409


@pytest.mark.parametrize("token", [
    node_token("nobody", "origin-1", {"alg": "RS256"}), node_token("nobody", "origin-1", {"alg": "hs256"}),
    node_token("nobody", "origin-1", {"alg": "HS512"}), node_token("nobody", "origin-1", {}),
    node_token("nobody", "origin-1", {"alg": "none"}, signed=False), node_token("nobody", "origin-1", {"alg": "none"}),
    node_token("nobody", "origin-1", {"alg": "HS256", "crit": ["x"], "x": 1}),
    node_token("nobody", "origin-1", padded=True), node_token("nobody", "origin-1", padded_code=True), node_token("nobody", "origin-1", signed=False),
    node_token("nobody", "origin-1", secret="another secret that is as long as it has to be"),
    node_token("other", "origin-1"), node_token("*", "origin-1"), node_token("nobody", "edge-x"),
    node_token("nobody", "origin-1", aud=["nobody"]), node_token("nobody", "origin-1", aud="nobody"),
    node_token("nobody", "origin-1", iat=int(time.time()) - 300, exp=int(time.time()) - 240),
    node_token("nobody", "origin-1", exp=int(time.time()) + 6_000), node_token("nobody", "origin-1", exp=1e300),
    node_token("nobody", "origin-1", iat=int(time.time()) + 300, exp=int(time.time()) + 360),
    node_token("nobody", "origin-1", iss="../x"), TOKEN, WATCH_TOKEN, "a.b.c",
], ids=["rs256", "lower-case", "hs512", "no-alg", "none", "none-signed", "crit", "padded", "padded-code", "unsigned", "other-secret",
        "other-broadcast", "any-broadcast", "other-node", "no-node", "one-audience", "expired", "long", "huge-time", "future",
        "issuer", "publisher", "viewer", "rubbish"])
def test_a_bad_node_token_is_refused(node, token):
    """A12: a header that says RS256, `crit` and padding were accepted."""
    # One that is no Bearer token at all (RFC 6750 §2.1) is none.
    assert relay(node, token) in (401, 403)


def test_no_node_token_is_asked_for(node):
    assert relay(node, None) == 401


def test_a_check_of_a_hostile_topology_stays_short(node, tmp_path):
    """A14: 90,000 unknown keys were 17 MB of problems."""
    topology = tmp_path / "topology.yaml"
    topology.write_text("version: 1\n" + "".join(f"k{n}: 1\n" for n in range(90_000)))
    run = subprocess.run([bin_path() / "origin", "--topology", topology, "--check"], capture_output=True, timeout=60)
    print(f"{len(run.stderr) + len(run.stdout)} bytes")
    assert run.returncode == 78
    assert len(run.stderr) + len(run.stdout) < 200_000
