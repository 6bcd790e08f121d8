"""make geo: the same broadcast by way of the near edge and straight from the far origin, over the same lossy last hop, in
Chromium. Prints what viewers saw and writes it into docs/quality.md."""

import argparse
import sys

import report
from chromium_pages import Viewer
from one_edge import FAR, NEAR, RELAY, World, scratch

# Name, share of packets lost on the viewers' links, mean number lost in a row, share lost on the relay's link.
CASES = [
    ("1 %", 0.01, 1, 0),
    ("3 %", 0.03, 1, 0),
    ("1 % in bursts of 5", 0.01, 5, 0),
    ("1 %, the relay's link too", 0.01, 1, 0.01),
]
HEADS = ["loss", "way", "freezes", "frozen, s", "longest frame gap, ms", "jitter buffer, ms", "packets lost", "NACKs", "PLIs",
         "frames"]


def row(case: str, way: str, seen: dict) -> list:
    return [case, way, seen["freezes"], f"{seen['frozen']:.1f}", round(seen["gap"]), round(seen["buffer"]), seen["lost"],
            seen["nacks"], seen["plis"], seen["decoded"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", help="only those with this in their names; docs/quality.md stays as it is")
    options = parser.parse_args()
    cases = [case for case in CASES if (options.case or "") in case[0]]
    rows = []
    with scratch() as folder, World(folder, keyframe=2) as world, Viewer.browser(world.near) as browser:
        far_browser = browser.another(world.far.chromium())
        for case, loss, burst, relay_loss in cases:
            for _ in range(options.rounds):
                world.shape(loss, burst, relay_loss)
                viewers = {"near edge": Viewer(browser, world.edge), "far origin": Viewer(far_browser, world.origin)}
                seen = Viewer.watch_all(viewers, options.seconds)
                for way in viewers:
                    rows.append(row(case, way, seen[way]))
                    print(dict(zip(HEADS, rows[-1])), flush=True)
    text = report.table(HEADS, rows)
    print(text)
    if options.case is None:
        report.replace("geo", "\n".join([
            report.circumstances("geo"),
            f"Round trips: origin to edge {RELAY} ms, edge to near viewer {NEAR} ms, origin to far viewer {FAR} ms. 720p, 30 "
            f"pictures a second, VP8 at 2 Mbit/s, a keyframe every 2 s; the publisher makes none when asked. Each row is "
            f"{options.seconds} s after the first second of a picture, near and far at the same time.", "", text]))


if __name__ == "__main__":
    sys.exit(main())
