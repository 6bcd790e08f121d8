"""docs/quality.md and docs/experiment.md: each measurement replaces its own section, between two marks, with what it has seen."""

import datetime
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
FILE = ROOT / "docs" / "quality.md"


def table(heads: list[str], rows: list[list]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def circumstances(target: str) -> str:
    arguments = " ".join(sys.argv[1:])
    command = f"make {target} ARGS='{arguments}'" if arguments else f"make {target}"
    return f"`{command}`, {datetime.date.today():%-d %B %Y}, on a machine with {os.cpu_count()} cores."


def replace(section: str, text: str, file: pathlib.Path = FILE):
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    whole = file.read_text()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    assert pattern.search(whole), f"{file} has no marks for {section}"
    file.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", whole))


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
