"""What was measured: tables for the terminal, docs/performance.md and docs/performance-details.md."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from goals import Entries, Verdict, verdicts
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
DETAILS = ROOT / "docs" / "performance-details.md"
NOTES = ROOT / "benchmarks" / "notes.md"
MACRO = re.compile(r"{%-?\s*macro\s")
VERSIONS = ("python", "dbt-core", "dbt-duckdb", "dbt-postgres", "duckdb")
HEADINGS = (
    "contender", "wall s", "CPU s", "peak MiB", "queries", "round trips", "own part s", "ratio to the last",
)  # fmt: skip
ORDER = ("latency", "scale", "warm", "workforce", "cold", "plan", "heal", "seed")
INTRODUCTION = """\
Each goal, and whether it is met. Counts come first: they do not depend on the machine. Seconds are those of
whole processes, medians of rounds in which the contenders took turns; on a machine with other work to do
(the load stands beside) their ratios say something, and they themselves little. Written by `scripts/bench`
from `benchmarks/counts.json` and `benchmarks/results.json`; all rounds are in
[performance-details.md](performance-details.md)."""
HOW = """\
Written by `scripts/bench`; the goals are in [performance.md](performance.md). Contenders run in turn in one
session, as often as stands there, after one round that does not count (none with `--quick`, nor where a
round takes minutes): medians (least-most). `wall` and `CPU` are those of whole processes, dbt's start
included; `queries` are the statements in dbt's log, `round trips` what a proxy in front of the server has
counted; the `own part` is what is compared where dbt's start would hide it: reading, checking and loading a
seed beside dbt's time for the seed's node, or the plan alone. Ratios are medians of the ratios round by
round."""
COUNTS = """\
`calls` are those of Python functions in dbt's main thread and in the one that runs nodes (cProfile,
`PYTHONHASHSEED=0`, the project parsed before); pieces and characters are what Jinja compiles (of the
package's macros); `events` are the lines of dbt's log. `scripts/bench --counts` counts again,
`scripts/bench --counts --check` fails where the package adds 1 % more than is recorded."""


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    from importlib.metadata import version

    macros = sum(len(MACRO.findall(path.read_text())) for path in (ROOT / "macros").rglob("*.sql"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        **{name: version(name) for name in VERSIONS[1:]},
        "macros": macros,  # of the package that heals: which of its states this was
    }


def _range(values: list[float] | None, digits: int = 2) -> str:
    if not values:
        return ""
    low, middle, high = min(values), statistics.median(values), max(values)
    if low == high:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def rows(entry: Mapping[str, Any]) -> list[list[str]]:
    """The table of one benchmark: medians with min-max, and the ratio to the last contender."""
    samples = entry["samples"]
    last = list(samples.values())[-1]
    found = []
    for name, values in samples.items():
        what = "inner" if "inner" in values and "inner" in last else "wall"
        ratios = [a / b for a, b in zip(values[what], last[what], strict=True)]
        found.append(
            [
                name,
                _range(values["wall"]),
                _range(values["cpu"]),
                _range(values["memory"], 0),
                _range(values.get("queries"), 0),
                _range(values.get("trips"), 0),
                _range(values.get("inner"), 3),
                _range(ratios, 3),
            ]
        )
    return found


def show(console: Console, times: Entries, keys: Iterable[str]) -> None:
    """Prints the tables of these benchmarks."""
    for key in keys:
        table = Table(*HEADINGS, title=times[key]["title"].replace("`", ""))
        for row in rows(times[key]):
            table.add_row(*row)
        console.print(table)


def write(times: Entries, recorded: Mapping[str, Any]) -> None:
    """Writes both pages. times, recorded: the content of results.json and of counts.json."""
    counted: Entries = {
        key: {**entry, "machine": {**recorded["machine"], "macros": entry["macros"]}}
        for key, entry in recorded["counts"].items()
    }
    lines = ["# Performance", INTRODUCTION, "", "| goal | figure | verdict | measured |", "|---|---|---|---|"]
    lines += map(_goal, verdicts(times, counted))
    lines += [
        "",
        *_folded("What the figures mean, and what is left where a goal is missed", NOTES.read_text()),
    ]
    lines += _folded("The counts", "\n".join([COUNTS, "", *_counted(counted)]))
    PAGE.write_text("\n".join(lines).rstrip() + "\n")
    lines = ["# Performance: all rounds", HOW, ""]
    for key in sorted(times, key=_place):
        lines += _table(times[key])
    DETAILS.write_text("\n".join(lines).rstrip() + "\n")


def _folded(title: str, text: str) -> list[str]:
    return ["<details>", f"<summary>{title}</summary>", "", text.strip(), "", "</details>", ""]


def _goal(verdict: Verdict) -> str:
    word = {True: "met", False: "**missed**", None: "not measured"}[verdict.met]
    return f"| {verdict.goal} | {verdict.figure} | {word} | {_source(verdict.source)} |"


def _source(entry: Mapping[str, Any] | None) -> str:
    """When, with which dbt, and under which load."""
    if entry is None:
        return ""
    where = entry["machine"]
    text = f"{entry['measured_at'].split()[0]}, dbt {where['dbt-core']}, Python {where['python']}"
    text += f", {where['macros']} macros"
    if "contenders" in entry:
        return f"{text}, DuckDB {where['duckdb']}"
    load = f"load {where['load']} on {where['cores']} cores" if where.get("load") else "quiet"
    return f"{text}, {load}"


def _counted(entries: Entries) -> Iterator[str]:
    yield "| command | contender | calls | compiled pieces | characters | queries | events |"
    yield "|---|---|---|---|---|---|---|"
    for entry in (entries[key] for key in sorted(entries, key=_natural)):
        for number, (name, found) in enumerate(entry["contenders"].items()):
            title = "" if number else entry["title"]
            own = f" ({found['compiled']:,})" if found["compiled"] else ""
            values = [f"{found['calls']:,}", found["templates"], f"{found['characters']:,}{own}"]
            yield f"| {' | '.join(map(str, [title, name, *values, found['queries'], found['events']]))} |"


def _natural(key: str) -> list[tuple[int, str]]:
    """A key by which numbers are in their order."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", key)]


def _place(key: str) -> tuple[int, list[tuple[int, str]]]:
    found = next((number for number, name in enumerate(ORDER) if key.startswith(name)), len(ORDER))
    return found, _natural(key)


def _table(entry: Mapping[str, Any]) -> list[str]:
    rounds = f"{entry['pairs']} round{'s' if entry['pairs'] > 1 else ''}"
    where = entry["machine"]
    versions = ", ".join(f"{name} {where[name]}" for name in VERSIONS) + f"; {where['macros']} macros"
    load = f"load {where['load']}" if where.get("load") else "a quiet machine"
    found = rows(entry)
    quick = ", `--quick`" if entry["quick"] else ""
    used = [n for n, _ in enumerate(HEADINGS) if any(row[n] for row in found)]
    head = [HEADINGS[n] for n in used]
    return [
        f"## {entry['title'][0].upper()}{entry['title'][1:]}",
        "",
        f"{rounds}{quick}, {entry['measured_at']}; {where['cores']} cores, {load}; {versions}",
        "",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(row[n] for n in used)} |" for row in found),
        "",
    ]
