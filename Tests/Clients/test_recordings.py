"""Recordings as CSV: what is written is read back the same, files of others are read, bad ones are refused in a sentence."""

import json

import pytest
from test_measurements import recorded, rows

WRITE = """
async ({rows, circumstances}) => {
  const {Recording, csv} = await import('/recording.js');
  const recording = new Recording({circumstances});
  rows.forEach((row, index) => recording.add(row, 5000 + index * 1001, index % 2 ? 'h' : null));
  return {text: csv(recording), rows: recording.rows};
}
"""
READ = """
async text => {
  const {parse} = await import('/recording.js');
  try { return parse(text); } catch (error) { return {error: error.message, name: error.constructor.name}; }
}
"""
BROADCASTER = "rtt,audioBitrate,videoBitrate,packetsReceived,fps,keyframesDecoded,pliCount,packetLoss,nackCount,avgJitter,freezeCount,freezeDuration"


def test_what_is_recorded_is_read_back_the_same(modules):
    circumstances = {"node": "edge-eu", "loss setting": '1 %, "bursts"', "browser": "Chromium 156"}
    table = rows(modules, *recorded("chromium"), recorded("chromium")[1])
    written = modules.evaluate(WRITE, {"rows": table, "circumstances": circumstances})
    lines = written["text"].split("\r\n")
    assert lines[:3] == ["# node: edge-eu", '# loss setting: 1 %, "bursts"', "# browser: Chromium 156"]
    assert lines[3].startswith(BROADCASTER + ",") and lines[3].split(",")[-2:] == ["time", "rid"]
    read = modules.evaluate(READ, written["text"])
    assert read["circumstances"] == circumstances
    assert [row["time"] for row in read["rows"]] == [0, 1.001, 2.002]
    # `codec` is of the test's own table.
    assert read["rows"] == [{key: value for key, value in row.items() if key != "codec"} for row in written["rows"]]


def test_a_recording_without_times_has_a_row_for_each_second(modules):
    read = modules.evaluate(READ, f"{BROADCASTER}\n12,64,900,110,30,1,0,0.5,2,40.5,0,0\n13,64,910,111,29.97,1,0,0.5,2,41,1,0.25\n")
    assert len(read["names"]) == 12 and read["circumstances"] == {}
    assert [row["time"] for row in read["rows"]] == [0, 1]
    assert read["rows"][1]["fps"] == 29.97 and read["rows"][1]["freezeDuration"] == 0.25 and read["rows"][0]["packetLoss"] == 0.5


def test_a_recording_ends_after_an_hour(modules):
    count = modules.evaluate("""async () => {
      const {Recording} = await import('/recording.js');
      const recording = new Recording();
      for (let i = 0; i < 4000; i++) recording.add({}, i * 1000);
      return [recording.rows.length, recording.isFull];
    }""")
    assert count == [3600, True]


@pytest.mark.parametrize("text, sentence", [
    ("", "The file is empty."),
    ("# node: a\n", "This is no recording: its first line has none of the names that one has, such as rtt or videoBitrate."),
    ("name,age\nx,3\n", "This is no recording: its first line has none of the names that one has, such as rtt or videoBitrate."),
    ("\x89PNG\r\n\x1a\n\x00\x00", "This is no recording: its first line has none of the names that one has, such as rtt or videoBitrate."),
    ("rtt,fps\n", "The recording has no rows: it was stopped within its first second."),
    ("rtt,fps\n1,2\n1\n", "Line 3 has 1 values where there are 2 names."),
    ("rtt,fps\n1,2,3\n", "Line 2 has 3 values where there are 2 names."),
    ("# a: b\nrtt,fps\n1,fast\n", "Line 3: “fast” is no number (fps)."),
    ("rtt,fps\n1,Infinity\n", "Line 2: “Infinity” is no number (fps)."),
    ("rtt,time\n1,2\n1,1\n", "Line 3: time goes back."),
    ("rtt\n" + "1\n" * 3601, "The file has 3601 rows; a recording has 3600 at most."),
])
def test_what_is_no_recording_is_refused_in_a_sentence(modules, text, sentence):
    assert modules.evaluate(READ, text) == {"error": sentence, "name": "Unreadable"}


def test_names_of_circumstances_are_data(modules):
    read = modules.evaluate(READ, '# __proto__: x\n# : y\n#\n# constructor: "q"\nrtt\n1\n')
    assert json.dumps(read["circumstances"]) == '{"constructor": "\\"q\\""}'
