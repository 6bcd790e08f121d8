"""Nodes and probes as processes: one relay per broadcast and edge, orderly ends, command lines."""

import json
import signal
import subprocess

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


def test_no_origin_is_503_within_the_budget(cascade):
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
