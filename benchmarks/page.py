"""What was measured, as tables for the terminal and as docs/performance.md with its plots."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from goals import Results, verdicts
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
NOTES = ROOT / "benchmarks" / "notes.md"
HEADINGS = ("contender", "wall s", "CPU s", "peak MiB", "queries", "own part s", "ratio to the last")
INTRODUCTION = """\
Written by `scripts/bench` from `benchmarks/results.json`; not to be edited. Contenders run in turn in one
session, as often as stands there, after one round that does not count (none with `--quick`, nor where a round
takes minutes): medians (least-most). `wall` and `CPU` are those of whole processes, dbt's start included;
`queries` are the statements in dbt's log; the `own part` is what is compared where dbt's start would hide it:
reading, checking and loading a seed beside dbt's time for the seed's node, or the plan alone.
Ratios are medians of the ratios round by round."""
PLOTS = {
    "warm": ("Nothing missing: `dbt run -s leaf`", "wall"),
    "cold": ("An empty workspace to a finished leaf", "wall"),
    "plan": ("The plan alone, everything missing", "inner"),
    "heal": ("Missing tables", "wall"),
    "seed": ("One large seed: the seed's own time", "inner"),
}


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    from importlib.metadata import version

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = ("dbt-core", "dbt-duckdb", "dbt-postgres", "duckdb")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
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
                _range(values.get("inner"), 3),
                _range(ratios, 3),
            ]
        )
    return found


def show(console: Console, results: Results, keys: Iterable[str]) -> None:
    """Prints the tables of these benchmarks, and all goals."""
    for key in keys:
        table = Table(*HEADINGS, title=results[key]["title"].replace("`", ""))
        for row in rows(results[key]):
            table.add_row(*row)
        console.print(table)
    table = Table("goal", "figure", "", title="Goals")
    for verdict in verdicts(results):
        table.add_row(verdict.goal, verdict.figure, _word(verdict.met))
    console.print(table)


def _word(met: bool | None) -> str:
    return {True: "met", False: "missed", None: "not measured"}[met]


def write_page(content: Mapping[str, Any]) -> None:
    """Writes docs/performance.md and its plots from the content of results.json."""
    results: Results = content["benchmarks"]
    where = content["machine"]
    lines = [
        "# Performance",
        "",
        INTRODUCTION,
        "",
        f"Measured on {where['cores']} cores, {where['memory_gib']} GiB, {where['system']}, "
        f"Python {where['python']}, dbt-core {where['dbt-core']}, dbt-duckdb {where['dbt-duckdb']}, "
        f"duckdb {where['duckdb']}, dbt-postgres {where['dbt-postgres']}.",
        "",
        "## Goals",
        "",
        "| goal | figure | |",
        "|---|---|---|",
    ]
    lines += [f"| {v.goal} | {v.figure} | {_word(v.met)} |" for v in verdicts(results)]
    lines += ["", NOTES.read_text().strip(), ""]
    for prefix, (title, what) in PLOTS.items():
        keys = sorted((key for key in results if key.startswith(prefix)), key=_natural)
        if keys:
            _plot(prefix, title, what, {key: results[key] for key in keys})
            lines += [f"![{title}](images/{prefix}.png)", ""]
        for key in keys:
            lines += _table(results[key])
    for key in results:
        if not key.startswith(tuple(PLOTS)):
            lines += _table(results[key])
    PAGE.write_text("\n".join(lines).rstrip() + "\n")


def _natural(key: str) -> tuple[str, int]:
    number = next((int(part) for part in key.split("-") if part.isdigit()), 0)
    return key.replace(str(number), ""), number


def _table(entry: Mapping[str, Any]) -> list[str]:
    head = f"### {entry['title'][0].upper()}{entry['title'][1:]}"
    how = f"{entry['pairs']} rounds, {entry['measured_at']}{', `--quick`' if entry['quick'] else ''}"
    lines = [head, "", how, "", f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows(entry)), ""]


def _plot(name: str, title: str, what: str, entries: Results) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    if name == "plan":
        for key, entry in entries.items():
            sizes = [int(size) for size in entry["samples"]]
            axes.plot(sizes, [statistics.median(s[what]) for s in entry["samples"].values()], "o-", label=key)
        axes.set(xscale="log", yscale="log", xlabel="nodes")
        axes.legend()
    else:
        labels, middles, errors = [], [], []
        for key, entry in entries.items():
            for contender, samples in entry["samples"].items():
                middle = statistics.median(samples[what])
                labels.append(f"{key}: {contender}" if len(entries) > 1 else contender)
                middles.append(middle)
                errors.append((middle - min(samples[what]), max(samples[what]) - middle))
        places = range(len(labels))
        axes.barh(places, middles, xerr=tuple(zip(*errors, strict=True)), color="#4878a8", ecolor="#333333")
        axes.set_yticks(places, labels, fontsize=8)
        axes.invert_yaxis()
        if name == "seed":
            axes.set_xscale("log")
    axes.set_title(title.replace("`", ""))
    axes.set_ylabel("seconds") if name == "plan" else axes.set_xlabel("seconds")
    (PAGE.parent / "images").mkdir(exist_ok=True)
    figure.savefig(PAGE.parent / "images" / f"{name}.png", dpi=110)
    plt.close(figure)
