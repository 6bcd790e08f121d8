"""docs/quality.md: each measurement replaces its own section, between two marks, with what it has seen."""

import datetime
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
FILE = ROOT / "docs" / "quality.md"


def table(heads: list[str], rows: list[list]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def circumstances(command: str) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return f"`{command}`, {datetime.date.today():%-d %B %Y}, on sources from {commit} on."


def replace(section: str, text: str):
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    whole = FILE.read_text()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    assert pattern.search(whole), f"{FILE} has no marks for {section}"
    FILE.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", whole))


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
