"""Nodes and probes as processes: one relay per broadcast and edge, orderly ends, command lines."""

import concurrent.futures
import json
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

from conftest import end, eventually, get


def relays(metrics: dict[str, float]) -> float:
    return sum(v for k, v in metrics.items() if k.startswith("sfu_sessions{") and 'kind="relay"' in k)


def watching(url: str) -> int:
    return sum(broadcast["viewers"] for broadcast in json.loads(get(url + "/api/broadcasts")))


def test_twenty_viewers_are_one_relay_and_it_goes_after_them(cascade, clip):
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")
    edge = cascade.edges[0]
    viewers = [
        subprocess.Popen(
            [cascade.bin / "probe", "watch", "--url", f"{edge.url}/whep/show", "--seconds", "15", "--json"],
            env=cascade.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(20)
    ]
    eventually(lambda: watching(edge.url) == 20, 15, "20 viewers at the edge")
    assert relays(cascade.origin.metrics()) == 1
    for viewer in viewers:
        output, errors = viewer.communicate(timeout=30)
        assert viewer.returncode == 0, errors
        final = json.loads(output.splitlines()[-1])
        assert final["final"] and final["video"]["frames"] > 100 and final["video"]["keyframes"] >= 1, final
    assert relays(cascade.origin.metrics()) == 1, "the relay lingers"
    eventually(lambda: relays(cascade.origin.metrics()) == 0, 11, "no relay 11 s after the last viewer")


def test_sigterm_ends_everything_cleanly(cascade, clip):
    publisher = cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")
    edge = cascade.edges[0]
    viewer = cascade.probe("watch", "--url", f"{edge.url}/whep/show", "--seconds", "60", log="viewer")
    eventually(lambda: relays(cascade.origin.metrics()) == 1, 10, "a relay")
    # A viewer in the middle of its handshake cannot hear of anything.
    eventually(lambda: edge.metrics()['sfu_sessions{kind="viewer"}'] == 1 and edge.metrics()["sfu_sessions_half_open"] == 0,
               10, "the viewer is connected")
    # The edge stops: its viewer hears of it, its relay ends at the origin at once, not by a timeout.
    assert end(edge.process) == 0, cascade.log(edge.name)
    eventually(lambda: relays(cascade.origin.metrics()) == 0, 2, "the relay ended")
    assert viewer.wait(10) is not None
    # The publisher stops: DELETE, so the broadcast ends at once.
    publisher.send_signal(signal.SIGINT)
    assert publisher.wait(10) == 0, cascade.log("publisher")
    eventually(lambda: not cascade.live(cascade.origin, "show"), 2, "the broadcast ended")
    assert end(cascade.origin.process) == 0, cascade.log("origin-1")


def test_a_hung_origin_is_503_within_the_budget_however_many_ask(cascade):
    edge = cascade.edges[0]
    offer = (pathlib.Path(__file__).parent / "viewer-offer.sdp").read_text()
    cascade.origin.process.send_signal(signal.SIGSTOP)
    try:
        # Until then what the origin does not list is not live: 409 at once.
        eventually(lambda: "directory lost" in cascade.log(edge.name), 10, "the edge notices")
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(60) as viewers:
            answers = list(viewers.map(lambda n: post(f"{edge.url}/whep/name-{n}", offer), range(60)))
        elapsed = time.monotonic() - begin
    finally:
        cascade.origin.process.send_signal(signal.SIGCONT)
    assert {answer[0] for answer in answers} == {503}, answers
    assert all(int(answer[1]["Retry-After"]) > 0 for answer in answers)
    # The budget is 3 s for each, and they do not wait for each other.
    assert elapsed < 6, elapsed


def test_curl_is_asked_for_its_body_at_once(cascade):
    """Expect: 100-continue: curl would wait a minute here, and one second by itself."""
    for node in (cascade.origin, cascade.edges[0]):
        begin = time.monotonic()
        answer = subprocess.run(
            ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--expect100-timeout", "60",
             "--header", "Expect: 100-continue", "--header", "Content-Type: application/sdp",
             "--data-binary", "rubbish", f"{node.url}/whep/show"],
            capture_output=True, text=True, timeout=90)
        assert answer.stdout == "400", answer
        assert time.monotonic() - begin < 30


def test_an_edge_says_409_once_the_publisher_is_gone(cascade, clip):
    offer = (pathlib.Path(__file__).parent / "viewer-offer.sdp").read_text()
    publisher = cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")
    edge = cascade.edges[0]
    held = cascade.probe("watch", "--url", f"{edge.url}/whep/show", "--seconds", "60", log="viewer")
    eventually(lambda: watching(edge.url) == 1, 10, "a viewer at the edge")
    eventually(lambda: edge.metrics()['sfu_rtp_packets_received_total{worker="0"}'] > 50, 10, "media at the edge")
    assert end(publisher) == 0
    # The edge holds its viewer; a new one is told what the origin says, as soon as the relay has fallen silent.
    eventually(lambda: post(f"{edge.url}/whep/show", offer)[0] == 409, 6, "409 for a new viewer")
    assert held.poll() is None, "the viewer of before is held"
    eventually(lambda: not cascade.live(edge, "show"), 3, "not listed any more")


def post(url: str, offer: str):
    request = urllib.request.Request(url, offer.encode(), {"Content-Type": "application/sdp"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_an_edge_without_its_origin_is_alive_and_not_ready(cascade):
    end(cascade.origin.process)
    edge = cascade.edges[0]
    eventually(lambda: status(f"{edge.internal}/readyz") == 503, 10, "the edge is not ready without its origin")
    assert status(f"{edge.internal}/healthz") == 200


def status(url: str) -> int:
    return int(subprocess.run(
        ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "5", url],
        capture_output=True, text=True).stdout)


def test_check_lists_every_problem_with_its_path(cascade, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(cascade.topology.read_text().replace("region: here", "region: nowhere", 1)
                   .replace("hold: 30s", "hold: tomorrow").replace("role: edge", "role: ledge", 1))
    for program in ("origin", "edge"):
        good = subprocess.run([cascade.bin / program, "--topology", cascade.topology, "--check", "--node", "origin-1" if program == "origin" else "edge-eu"],
                              env=cascade.environment, capture_output=True, text=True)
        assert good.returncode == 0, good.stderr
        result = subprocess.run(
            [cascade.bin / program, "--topology", bad, "--check"], env=cascade.environment, capture_output=True, text=True)
        assert result.returncode == 78
        for path in ("hold", "nodes[0].region", "nodes[1].role"):
            assert path in result.stderr + result.stdout, result.stderr


def test_bad_usage_is_64(cascade):
    for command in (["origin", "--nonsense"], ["edge", "--nonsense"], ["probe", "watch"], ["probe", "publish", "--url", "x"]):
        result = subprocess.run([cascade.bin / command[0], *command[1:]], env=cascade.environment, capture_output=True, text=True)
        assert result.returncode == 64, (command, result)
        assert result.stderr.strip(), command
    for program in ("origin", "edge", "probe"):
        assert subprocess.run([cascade.bin / program, "--help"], capture_output=True).returncode == 0
