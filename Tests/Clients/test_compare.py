"""The page that compares recordings, from its own files: no node is needed, and nothing leaves the browser."""

import re

import pytest
from pages import Pages

NEAR = """# node: edge-eu
# loss setting: 1 %
rtt,audioBitrate,videoBitrate,packetsReceived,fps,keyframesDecoded,pliCount,packetLoss,nackCount,avgJitter,freezeCount,freezeDuration,time
40,64,2000,210,30,1,0,1.0,1,80,0,0,0
41,64,1990,211,30,1,0,1.1,3,81,0,0,1
40,64,2010,212,29,2,0,0.9,5,82,0,0,2
60,64,2000,210,30,2,0,1.0,6,84,1,0.2,3
"""
# As the geo-distributed Broadcaster of Elixir WebRTC writes it: no circumstances, no times; the viewer connected anew after the second row.
FAR = """rtt,audioBitrate,videoBitrate,packetsReceived,fps,keyframesDecoded,pliCount,packetLoss,nackCount,avgJitter,freezeCount,freezeDuration
200,64,1900,205,28,1,0,1.0,2,90,5,1.5
201,64,1900,205,27,1,1,1.2,6,91,8,2.25
200,64,1900,205,28,1,0,1.0,1,90,2,0.5
"""


@pytest.fixture
def page(chromium):
    pages = Pages()
    page = chromium.open(f"{pages.url}/compare")
    yield page
    pages.close()


def files(**texts: str) -> list[dict]:
    return [{"name": f"{name}.csv", "mimeType": "text/csv", "buffer": text.encode()} for name, text in texts.items()]


def cells(page, label: str) -> list[str]:
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=label, exact=True))
    return [cell.inner_text() for cell in row.get_by_role("cell").all()]


def test_two_recordings_are_summed_up_and_the_better_one_is_marked(page, chromium):
    page.get_by_label("Choose recordings").set_input_files(files(near=NEAR, far=FAR))
    page.get_by_role("table").wait_for()
    assert cells(page, "Round trip, median") == ["40.5 ms better", "200 ms"]
    assert cells(page, "Round trip, 95 % at most") == ["60 ms better", "201 ms"]
    assert cells(page, "Frames, 95 % at least") == ["29/s better", "27/s"]
    assert cells(page, "Audio, median") == ["64 kbit/s", "64 kbit/s"], "the same: nobody is better"
    assert cells(page, "Packets, median") == ["210.5/s", "205/s"], "more packets are not better"
    # What counts is of the recording alone, over a return; by the minute it can be compared.
    assert cells(page, "Freezes, total") == ["1", "5"]
    assert cells(page, "Freezes a minute") == ["20 better", "150"]
    assert cells(page, "Frozen, total") == ["0.2 s", "1.25 s"]
    assert page.locator(".legend").inner_text().count("edge-eu") == 1
    assert page.get_by_role("img", name="Round trip over time of near, far").locator("path").count() == 2
    assert not page.get_by_role("img", name=re.compile("Width")).count(), "neither has it"
    assert not chromium.messages


def test_bad_files_are_named_in_a_sentence_and_the_good_ones_are_shown(page):
    page.get_by_label("Choose recordings").set_input_files(files(letter="Dear all,", near=NEAR, cut=NEAR[:-8]))
    page.get_by_role("table").wait_for()
    said = page.get_by_role("alert").inner_text()
    assert "letter.csv: This is no recording" in said and "cut.csv: Line 7 has 11 values where there are 13 names." in said
    assert page.get_by_role("button", name="Remove near").count() == 1
    page.get_by_role("button", name="Remove near").click()
    assert page.get_by_role("table").count() == 0 and page.evaluate("document.activeElement.id") == "files"


def test_files_can_be_dropped_and_no_more_than_can_be_told_apart(page):
    data = page.evaluate_handle("""text => {
      const data = new DataTransfer();
      for (let i = 0; i < 9; i++) data.items.add(new File([text], `r${i}.csv`));
      return data;
    }""", FAR)
    page.dispatch_event("main", "drop", {"dataTransfer": data})
    page.get_by_role("table").wait_for()
    assert len(cells(page, "PLIs, total")) == 8
    assert page.get_by_role("alert").inner_text() == "r8.csv: No more than 8 can be told apart: remove one first."


def test_what_is_shown_is_one_file_that_needs_nothing_else(page, chromium, tmp_path):
    asked = []
    page.get_by_label("Choose recordings").set_input_files(files(**{"near<b>": NEAR, "far": FAR}))
    page.get_by_role("table").wait_for()
    page.context.on("request", lambda request: asked.append(request.url))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as one HTML file").click()
    waiting.value.save_as(tmp_path / "comparison.html")
    assert [url for url in asked if not url.startswith("blob:")] == []
    text = (tmp_path / "comparison.html").read_text()
    assert not re.search(r"<script|<link|<button|url\(|https?://(?!www\.w3\.org)", text), "nothing to load or run"
    saved = chromium.open(f"file://{tmp_path}/comparison.html")
    assert cells(saved, "Round trip, median") == cells(page, "Round trip, median")
    assert saved.get_by_role("heading", name="near<b>").count() == 1
    line = "getComputedStyle(document.querySelector('path.series-1')).stroke"
    assert saved.evaluate(line) == page.evaluate(line) != "none"
    assert not chromium.messages


def test_nothing_is_wider_than_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_label("Choose recordings").set_input_files(files(**{"a-very-long-name-of-a-recording-2026-11-28": NEAR, "far": FAR}))
    page.get_by_role("table").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
