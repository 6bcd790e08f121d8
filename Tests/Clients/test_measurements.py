"""What is made of getStats() reports: recorded ones of Chromium and Firefox, and what may happen to them. The modules run
in Chromium, from their files, without a node."""

import copy
import json
import pathlib

import pytest

# Rows of a series of snapshots, each a list of reports and the name of its connection.
ROWS = """
async snapshots => {
  const {Measurements, codec} = await import('/measurements.js');
  const measurements = new Measurements();
  const sources = {};
  return snapshots.map(([reports, name]) => ({
    ...measurements.take(new Map(reports.map(each => [each.id, each])), sources[name] ??= {}),
    codec: codec(new Map(reports.map(each => [each.id, each]))),
  }));
}
"""


def recorded(browser: str) -> list[list[dict]]:
    return json.loads((pathlib.Path(__file__).parent / f"reports/{browser}.json").read_text())


def rows(page, *snapshots, connections: str = "") -> list[dict]:
    names = connections or "a" * len(snapshots)
    return page.evaluate(ROWS, [list(pair) for pair in zip(snapshots, names)])


def video(reports: list[dict]) -> dict:
    return next(each for each in reports if each["type"] == "inbound-rtp" and each["kind"] == "video")


def later(reports: list[dict], seconds: float = 1, **grown) -> list[dict]:
    """The same reports `seconds` on, members of the video stream greater by `grown`."""
    after = copy.deepcopy(reports)
    for each in after:
        if each["type"] == "inbound-rtp":
            each["timestamp"] += seconds * 1000
    for name, growth in grown.items():
        video(after)[name] += growth
    return after


def test_a_row_of_chromium_s_reports(modules):
    first, second = rows(modules, *recorded("chromium"))
    before, after = (video(each) for each in recorded("chromium"))
    seconds = (after["timestamp"] - before["timestamp"]) / 1000
    kilobits = (after["bytesReceived"] - before["bytesReceived"]) * 8 / 1000 / seconds
    assert second["videoBitrate"] == pytest.approx(kilobits, abs=0.06)
    assert second["fps"] == pytest.approx((after["framesDecoded"] - before["framesDecoded"]) / seconds, abs=0.06)
    delay = (after["jitterBufferDelay"] - before["jitterBufferDelay"]) / (
        after["jitterBufferEmittedCount"] - before["jitterBufferEmittedCount"])
    assert second["avgJitter"] == pytest.approx(delay * 1000, abs=0.06), "of the interval, not since the start"
    assert (second["rtt"], second["frameWidth"], second["frameHeight"], second["codec"]) == (1, 640, 360, "VP8")
    assert (second["packetLoss"], second["nackCount"], second["freezeCount"], second["freezeDuration"]) == (0, 0, 0, 0)
    assert 80 < second["audioBitrate"] < 90 and 130 < second["packetsReceived"] < 160
    assert 40 < second["latency"] < 120, "about the jitter buffer"
    # Of one snapshot there are totals, and no rates.
    assert first["keyframesDecoded"] == before["keyFramesDecoded"] and first["rtt"] == 1
    assert first["videoBitrate"] is first["packetLoss"] is first["fps"] is first["avgJitter"] is None


def test_a_row_of_firefox_s_reports(modules):
    row = rows(modules, *recorded("firefox"))[1]
    assert row["videoBitrate"] > 500 and row["audioBitrate"] > 50 and 28 < row["fps"] < 32
    assert (row["rtt"], row["codec"], row["keyframesDecoded"], row["freezeCount"]) == (0, "VP8", 8, 0)
    assert 0 < row["latency"] < 100 and row["retransmitted"] is None


def test_loss_is_of_what_was_expected_and_late_packets_take_it_back(modules):
    start = recorded("chromium")[0]
    lossy = later(start, packetsReceived=90, packetsLost=10, bytesReceived=9000)
    late = later(lossy, packetsReceived=100, packetsLost=-4, bytesReceived=9000)
    silent = later(late)
    assert [row["packetLoss"] for row in rows(modules, start, lossy, late, silent)] == [None, 10, 0, None]


def test_members_that_a_browser_does_not_have_are_not_known(modules):
    bare = [{"id": "v", "type": "inbound-rtp", "kind": "video", "ssrc": 1, "timestamp": 1000, "packetsReceived": 1, "bytesReceived": 100}]
    after = [dict(bare[0], timestamp=3000, packetsReceived=21, bytesReceived=50_100)]
    row = rows(modules, bare, after)[1]
    assert row["videoBitrate"] == 200 and row["packetsReceived"] == 10
    unknown = set(row) - {"videoBitrate", "packetsReceived", "codec"}
    assert all(row[name] is None for name in unknown), row
    assert rows(modules, [])[0]["rtt"] is None


def test_the_same_snapshot_again_has_no_rates(modules):
    start = recorded("chromium")[0]
    row = rows(modules, start, start)[1]
    assert row["videoBitrate"] is None and row["keyframesDecoded"] == video(start)["keyFramesDecoded"]


def test_counters_that_begin_anew_go_on_and_rates_wait(modules):
    start = recorded("chromium")[0]
    frozen = later(start, freezeCount=2, totalFreezesDuration=0.75, pliCount=3, packetsReceived=10, bytesReceived=1000)
    anew = later(frozen)
    video(anew).update(packetsReceived=5, bytesReceived=500, freezeCount=1, totalFreezesDuration=0.25, pliCount=0, keyFramesDecoded=1)
    goes_on = later(anew, packetsReceived=10, bytesReceived=1000, freezeCount=1, totalFreezesDuration=0.5)
    table = rows(modules, start, frozen, anew, goes_on)
    assert [row["freezeCount"] for row in table] == [0, 2, 3, 4]
    assert [row["freezeDuration"] for row in table] == [0, 0.75, 1, 1.5]
    assert [row["pliCount"] for row in table] == [0, 3, 3, 3]
    assert [row["videoBitrate"] for row in table] == [None, 8, None, 8]


def test_a_track_in_place_of_another_and_another_connection(modules):
    start = recorded("chromium")[0]
    replaced = later(start)
    video(replaced).update(id="other", ssrc=77, packetsReceived=999_999, bytesReceived=9_999_999, nackCount=4)
    table = rows(modules, start, replaced, later(replaced, bytesReceived=1000))
    assert [row["videoBitrate"] for row in table] == [None, None, 8]
    assert table[1]["audioBitrate"] == 0 and table[1]["nackCount"] == 4
    # Ids say nothing across connections: theirs may be the same.
    moved = rows(modules, start, later(start, bytesReceived=5000), connections="ab")
    assert moved[1]["videoBitrate"] is None
    assert moved[1]["keyframesDecoded"] == 2 * video(start)["keyFramesDecoded"]
