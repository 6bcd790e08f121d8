"""make joins: how soon a viewer sees the first picture, in Chromium and Firefox, of a publisher that makes no keyframes when
asked. Prints it and writes it into docs/quality.md."""

import argparse
import json
import pathlib
import random
import sys

import report
from chromium import Chromium
from chromium_pages import JOIN, Viewer
from conftest import Cascade
from firefox import Firefox
from one_edge import NEAR, RELAY, World, publish, scratch

HEADS = ["where", "keyframe every", "joins", "p50, ms", "p95, ms", "worst, ms", "p95 after the 201, ms", "later than others after 3 s, ms",
         "freezes", "PLIs", "keyframe requests to the publisher"]

# In one go: Firefox is driven by one script.
JOINS = """
async () => {
  const join = %s;
  const joins = [];
  for (const pause of %s) {
    await new Promise(resolve => setTimeout(resolve, pause));
    joins.push(await join([%s, 1000]));
  }
  return JSON.stringify(joins);
}
"""


def pauses(count: int, keyframe: int, least: float) -> list[float]:
    """At random moments of the group of pictures; milliseconds."""
    dice = random.Random(7)
    return [1_000 * (least + dice.random() * keyframe) for _ in range(count)]


def by_chromium(page, url: str, count: int, keyframe: int, least: float = 0, watching: float = 3_000) -> list[dict]:
    joins = []
    for pause in pauses(count, keyframe, least):
        page.wait_for_timeout(pause)
        joins.append(page.evaluate(JOIN, [url, watching]))
    return joins


def by_firefox(node, count: int, keyframe: int) -> list[dict]:
    with Firefox() as firefox:
        script = JOINS % (JOIN, pauses(count, keyframe, 0), json.dumps(f"{node.url}/whep/show"))
        return firefox.run(node.url, script)


def row(where: str, keyframe: int, joins: list[dict], asked: float) -> list:
    first = [join["first"] if join["first"] > 0 else 15_000 for join in joins]
    after = [max(0, join["afterAnswer"]) for join in joins]
    later = [join["latency"] - join["others"] for join in joins if join.get("latency") and join.get("others")]
    shown = f"{min(later):.0f} to {max(later):.0f}, median {report.percentile(later, 0.5):.0f}" if later else "–"
    return [where, f"{keyframe} s", len(joins), *(round(report.percentile(first, share)) for share in (0.5, 0.95, 1)),
            round(report.percentile(after, 0.95)), shown, sum(join.get("freezes") or 0 for join in joins),
            sum(join.get("plis") or 0 for join in joins), round(asked)]


def asked(origin) -> float:
    return sum(value for name, value in origin.metrics().items() if name.startswith("sfu_keyframe_requests_sent_total"))


class Rows(list):
    def add(self, *arguments):
        self.append(row(*arguments))
        print(dict(zip(HEADS, self[-1])), flush=True)


def on_loopback(rows: Rows, folder: pathlib.Path, keyframe: int, count: int):
    folder.mkdir()
    cascade = Cascade(folder)
    try:
        cascade.start()
        publish(cascade, cascade.origin, keyframe)
        edge = cascade.edges[0]
        with Chromium() as browser:
            page = Viewer(browser, edge).page
            before = asked(cascade.origin)
            joins = by_chromium(page, f"{edge.url}/whep/show", count, keyframe)
            rows.add("loopback, Chromium", keyframe, joins, asked(cascade.origin) - before)
            before = asked(cascade.origin)
            rows.add("loopback, Firefox", keyframe, by_firefox(edge, count, keyframe), asked(cascade.origin) - before)
    finally:
        cascade.stop()


def from_afar(rows: Rows, folder: pathlib.Path, keyframe: int, count: int):
    folder.mkdir()
    with World(folder, keyframe, linger="1s") as world, Viewer.browser(world.near) as browser:
        url = f"{world.edge.url}/whep/show"
        page = browser.open(world.edge.url)
        before = asked(world.origin)
        joins = by_chromium(page, url, count, keyframe, least=3, watching=1_000)
        rows.add(f"cold edge, {RELAY} ms from the origin, viewer at {NEAR} ms", keyframe, joins, asked(world.origin) - before)
        page.context.close()
        page = Viewer(browser, world.edge).page
        for loss in (0, 0.01):
            world.shape(loss)
            before = asked(world.origin)
            joins = by_chromium(page, url, count, keyframe)
            where = f"viewer at {NEAR} ms" + (f", {loss:.0%} loss" if loss else "")
            rows.add(where, keyframe, joins, asked(world.origin) - before)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joins", type=int, default=40, help="of each kind")
    parser.add_argument("--keyframes", type=int, nargs="*", default=[4, 10], help="seconds between keyframes")
    parser.add_argument("--only", choices=["loopback", "afar"], help="docs/quality.md stays as it is")
    options = parser.parse_args()
    rows = Rows()
    with scratch() as folder:
        for keyframe in options.keyframes:
            if options.only != "afar":
                on_loopback(rows, folder / f"near-{keyframe}", keyframe, options.joins)
            if options.only != "loopback":
                from_afar(rows, folder / f"far-{keyframe}", keyframe, options.joins)
    text = report.table(HEADS, rows)
    print(text)
    if options.only is None:
        report.replace("joins", "\n".join([
            report.circumstances("joins"),
            "720p, 30 pictures a second, VP8 at 2 Mbit/s. From the POST to the first picture on the screen "
            "(`requestVideoFrameCallback`), at random moments.", "", text]))


if __name__ == "__main__":
    sys.exit(main())
