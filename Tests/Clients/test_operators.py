"""What an operator asks of a deployment: `probe nodes`, `probe broadcasts`, `probe drain`."""

import json
import subprocess

from conftest import eventually


def ask(cascade, *arguments) -> tuple[int, str]:
    run = subprocess.run(
        [cascade.bin / "probe", *arguments, "--topology", cascade.topology], capture_output=True, text=True, timeout=20)
    return run.returncode, run.stdout + run.stderr


def test_nodes_broadcasts_and_a_drain(cascade, clip):
    code, shown = ask(cascade, "nodes")
    assert code == 0, shown
    lines = shown.splitlines()
    assert lines[0].split() == ["node", "role", "region", "state", "load", "rtt", "url"]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["origin-1", "origin", "here", "ready"], ["edge-eu", "edge", "here", "ready"], ["edge-us", "edge", "there", "ready"]]

    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--loop", log="publisher")
    cascade.wait_live("show")
    cascade.probe("watch", "--url", f"{cascade.edges[0].url}/whep/show")

    def watched():
        code, shown = ask(cascade, "broadcasts", "--json")
        rows = json.loads(shown)
        return code == 0 and [(r["name"], r["origin"], r["viewers"], r["nodes"]) for r in rows] == [
            ("show", "origin-1", 1, ["origin-1", "edge-eu"])]

    eventually(watched, 10, "the broadcast with its viewer")

    assert ask(cascade, "drain", "edge-eu") == (0, "edge-eu drains\n")
    code, shown = ask(cascade, "nodes", "--json")
    assert code == 1 and [n["state"] for n in json.loads(shown)] == ["ready", "draining", "ready"]
    assert ask(cascade, "drain", "edge-eu", "--cancel") == (0, "edge-eu does not drain\n")

    code, shown = ask(cascade, "drain", "edge-xx")
    assert code == 64 and 'there is no node "edge-xx"' in shown and "origin-1, edge-eu, edge-us" in shown
    cascade.edges[1].process.kill()
    cascade.edges[1].process.wait()
    code, shown = ask(cascade, "nodes")
    assert code == 1 and "edge-us" in shown.splitlines()[3] and "ready" not in shown.splitlines()[3]
