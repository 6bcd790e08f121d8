"""The player page against whole nodes: its numbers beside getStats() read by the test, recordings, and what it weighs."""

import csv
import io
import json
import statistics
import urllib.request

import pytest
from chromium import until
from conftest import Cascade

READ = """
async () => {
  const reports = [...(await window.cascade.pc.getStats()).values()];
  const of = kind => reports.find(each => each.type === 'inbound-rtp' && each.kind === kind);
  const pair = reports.find(each => each.id === reports.find(each => each.type === 'transport').selectedCandidatePairId);
  const shown = Object.fromEntries([...document.querySelectorAll('[data-column]')].map(each =>
    [each.dataset.column, Number.parseFloat(each.textContent)]));
  return {video: of('video'), audio: of('audio'), rtt: pair.currentRoundTripTime * 1000, shown};
}
"""


def publish(cascade: Cascade, clip, tone):
    cascade.probe("publish", "--url", f"{cascade.origin.url}/whip/show", "--file", clip, "--audio", tone, "--loop", log="publisher")
    cascade.wait_live("show")


def watch(chromium, node):
    """A page that plays, and its session's id."""
    page = chromium.open("about:blank")
    resources = []
    page.on("response", lambda r: "/whep/" in r.url and r.status == 201 and resources.append(r.headers["location"]))
    page.goto(f"{node.url}/?broadcast=show")
    until(page, lambda s: s.get("decoded", 0) > 30 and s["page"] == "playing", 20, "playing")
    return page, resources[0].rsplit("/", 1)[1]


def impair(node, session: str, loss: float):
    request = urllib.request.Request(
        f"{node.internal}/session/{session}/impairment", json.dumps({"loss": loss}).encode(),
        {"Content-Type": "application/json"})
    assert urllib.request.urlopen(request, timeout=5).status == 204


def grown(samples, kind: str, member: str) -> float:
    return samples[-1][kind][member] - samples[0][kind][member]


def test_the_numbers_are_those_of_getstats(make_cascade, chromium, clip, tone):
    cascade = make_cascade(simulation=True)
    publish(cascade, clip, tone)
    page, session = watch(chromium, cascade.edges[0])
    page.get_by_role("button", name="Measurements").click()
    impair(cascade.edges[0], session, 0.05)
    page.wait_for_timeout(2000)
    samples = []
    for _ in range(11):
        samples.append(page.evaluate(READ))
        page.wait_for_timeout(1000)
    seconds = grown(samples, "video", "timestamp") / 1000
    mean = {name: statistics.mean(sample["shown"][name] for sample in samples[1:]) for name in (
        "videoBitrate", "audioBitrate", "packetsReceived", "fps", "packetLoss", "avgJitter")}
    received = grown(samples, "video", "packetsReceived") + grown(samples, "audio", "packetsReceived")
    lost = grown(samples, "video", "packetsLost") + grown(samples, "audio", "packetsLost")
    assert mean["videoBitrate"] == pytest.approx(grown(samples, "video", "bytesReceived") / 125 / seconds, rel=0.1)
    assert mean["audioBitrate"] == pytest.approx(grown(samples, "audio", "bytesReceived") / 125 / seconds, rel=0.1)
    assert mean["packetsReceived"] == pytest.approx(received / seconds, rel=0.1)
    assert mean["fps"] == pytest.approx(grown(samples, "video", "framesDecoded") / seconds, rel=0.1)
    assert lost > 10, "there is something to see"
    assert mean["packetLoss"] == pytest.approx(100 * lost / (lost + received), rel=0.35)
    delay = grown(samples, "video", "jitterBufferDelay") / grown(samples, "video", "jitterBufferEmittedCount") * 1000
    assert mean["avgJitter"] == pytest.approx(delay, rel=0.2)
    # Chromium does not tell which moment it plays in every second; test_measurements.py has the formula.
    latencies = [value for sample in samples if (value := sample["shown"]["latency"]) == value]
    print("latency", latencies)
    assert all(0 <= value < 1500 for value in latencies), latencies
    # Totals: the page has read them a second before the test did, or two on a busy machine.
    for name, member in {
        "keyframesDecoded": "keyFramesDecoded", "nackCount": "nackCount", "pliCount": "pliCount", "freezeCount": "freezeCount",
        "freezeDuration": "totalFreezesDuration", "retransmitted": "retransmittedPacketsReceived",
    }.items():
        for before, after in zip(samples, samples[2:]):
            # Shown with two digits after the point at most.
            assert before["video"].get(member, 0) - 0.01 <= after["shown"][name] <= after["video"][member] + 0.01, (name, before, after)
    assert samples[-1]["shown"]["nackCount"] > 5 and samples[-1]["shown"]["retransmitted"] > 5
    last = samples[-1]["shown"]
    assert (last["frameWidth"], last["frameHeight"]) == (640, 360)
    assert last["rtt"] in [round(sample["rtt"], 1) for sample in samples[-4:]]
    page.context.close()


def table(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    lines = text.splitlines()
    told = [line for line in lines if line.startswith("# ")]
    return dict(line[2:].split(": ", 1) for line in told), list(csv.DictReader(io.StringIO("\n".join(lines[len(told):]))))


def test_a_recording_is_downloaded_and_compared_to_the_same_numbers(cascade, chromium, clip, tone, tmp_path):
    publish(cascade, clip, tone)
    paths = []
    for node in (cascade.edges[0], cascade.origin):
        page, _ = watch(chromium, node)
        page.get_by_role("button", name="Measurements").click()
        page.get_by_label("Loss setting").fill("none")
        page.get_by_role("button", name="Record").click()
        page.wait_for_timeout(6500)
        page.get_by_role("button", name="Stop recording").click()
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Download CSV").click()
        assert waiting.value.suggested_filename.startswith(f"show_{node.name}_20")
        paths.append(tmp_path / waiting.value.suggested_filename)
        waiting.value.save_as(paths[-1])
        page.context.close()

    told, rows = table(paths[0].read_text())
    assert told["node"] == "edge-eu" and told["region"] == "here" and told["codec"] == "VP8" and told["loss setting"] == "none"
    assert told["browser"].startswith("Chromium ") or "Chrome" in told["browser"], told
    assert 6 <= len(rows) <= 7 and float(rows[-1]["time"]) == pytest.approx(len(rows) - 1, abs=0.5)

    page = chromium.open(f"{cascade.edges[1].url}/compare")
    page.get_by_label("Choose recordings").set_input_files(paths)
    page.get_by_role("table").wait_for()
    recordings = [table(path.read_text())[1] for path in paths]
    for name, label in {"videoBitrate": "Video, median", "fps": "Frames, median", "avgJitter": "Jitter buffer, median"}.items():
        cells = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=label, exact=True)).get_by_role("cell")
        shown = [float(cell.inner_text().split("/")[0].split()[0]) for cell in cells.all()]
        assert shown == [pytest.approx(statistics.median(float(row[name]) for row in rows), abs=0.051) for rows in recordings]
    assert not chromium.messages


def test_pages_are_small_and_keep_to_their_own_node(cascade, chromium, clip, tone):
    publish(cascade, clip, tone)
    node = cascade.edges[0]
    for path in ("/?broadcast=show", "/compare", "/"):
        page = chromium.open("about:blank")
        answers = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(f"{node.url}{path}")
        page.wait_for_timeout(2000)
        assert {answer.url.split("/")[2] for answer in answers} == {node.url.split("/")[2]}
        policy = answers[0].headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        loaded = [answer for answer in answers if answer.request.resource_type in ("document", "script", "stylesheet", "image")]
        weight = sum(len(answer.body()) for answer in loaded)
        print(f"{path}: {len(loaded)} files, {weight} bytes")
        assert weight < 200_000
        page.context.close()
    assert not chromium.messages


def test_the_page_says_where_it_is(cascade, chromium, clip, tone):
    publish(cascade, clip, tone)
    page, _ = watch(chromium, cascade.edges[0])
    page.get_by_role("button", name="Measurements").click()
    page.get_by_text("Watched at edge-eu (here), published at origin-1 (here).").wait_for()
    assert not chromium.messages

