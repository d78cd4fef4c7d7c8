"""The goals, and whether the figures meet them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from measure import Samples, difference, median, ratio

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """One goal.

    Attributes:
        goal: What is asked.
        figure: What was measured.
        met: Whether it meets the goal; None when it has not been measured.
    """

    goal: str
    figure: str = "not measured"
    met: bool | None = None


def verdicts(results: Results) -> list[Verdict]:
    """Every goal with its figure. results: what is kept in results.json, by the benchmark's key."""
    return [*_warm(results), *_cold(results), *_plan(results), *_heal(results), *_seeds(results)]


def _samples(results: Results, key: str) -> dict[str, Samples] | None:
    return results[key]["samples"] if key in results else None


def _warm(results: Results) -> list[Verdict]:
    goal = "nothing missing, the hook in the workforce workspace: under 5 % and 0.1 s"
    found = [Verdict(goal)]
    if samples := _samples(results, "workforce"):
        more = median(samples["hook on"], "inner") - median(samples["hook off"], "inner")
        share = more / median(samples["hook off"])
        found = [Verdict(goal, f"{more:+.3f} s, {share:+.1%}", more < 0.1 and share < 0.05)]
    for nodes, limit in ((1000, 0.05), (5000, 0.15)):
        goal = (
            f"nothing missing, {nodes:,} nodes: at most {'2 % and ' if nodes == 1000 else ''}{limit} s more"
        )
        samples = _samples(results, f"warm-{nodes}")
        if not samples:
            found.append(Verdict(goal))
            continue
        more = difference(samples["with"], samples["without"])
        share = ratio(samples["with"], samples["without"]) - 1
        met = more <= limit and (nodes != 1000 or share <= 0.02)
        found.append(Verdict(goal, f"{more:+.3f} s, {share:+.1%}", met))
    counts = {
        key: {name: median(samples, "queries") for name, samples in entry["samples"].items()}
        for key, entry in results.items()
        if key.startswith("warm-")
    }
    same = all(count["with"] == count["without"] for count in counts.values())
    figure = "; ".join(
        f"{count['with']:.0f} with, {count['without']:.0f} without" for count in counts.values()
    )
    found.append(
        Verdict("nothing missing: no extra query", figure, same) if counts else Verdict("no extra query")
    )
    return found


def _cold(results: Results) -> list[Verdict]:
    goals = [
        ("an empty workspace: at most 1.05x of `dbt build -s +leaf`", "dbt build -s +leaf", 1.05),
        ("an empty workspace: at most 0.5x of the three processes", "three processes", 0.5),
    ]
    samples = _samples(results, "cold")
    if not samples:
        return [Verdict(goal) for goal, _, _ in goals]
    found = []
    for goal, other, limit in goals:
        value = ratio(samples["dbt run -s leaf, healing"], samples[other])
        found.append(Verdict(goal, f"{value:.2f}x", value <= limit))
    return found


def _plan(results: Results) -> list[Verdict]:
    goals = ("the plan of 10,000 nodes: at most 12x of 1,000", "the plan of 10,000 nodes: under 1.5 s")
    samples = _samples(results, "plan-layered")
    if not samples:
        return [Verdict(goal) for goal in goals]
    growth = ratio(samples["10000"], samples["1000"], "inner")
    seconds = median(samples["10000"], "inner")
    return [
        Verdict(goals[0], f"{growth:.1f}x", growth <= 12),
        Verdict(goals[1], f"{seconds:.2f} s", seconds < 1.5),
    ]


def _heal(results: Results) -> list[Verdict]:
    found = []
    for nodes in (100, 1000):
        goal = f"healing {nodes:,} tables in the hook: at most 0.9x of `dbt build --threads 1`"
        samples = _samples(results, f"heal-{nodes}")
        if samples:
            value = ratio(samples["hook"], samples["dbt build --threads 1"])
            found.append(Verdict(goal, f"{value:.2f}x", value <= 0.9))
        elif nodes == 1000:
            found.append(Verdict(goal))
    return found


def _seeds(results: Results) -> list[Verdict]:
    found = []
    for adapter, rows, factor in (
        ("duckdb", 100_000, 10),
        ("duckdb", 1_000_000, 20),
        ("postgres", 100_000, 1.5),
    ):
        goal = f"a seed of {rows:,} rows on {adapter}: at least {factor}x faster than `dbt seed`"
        samples = _samples(results, f"seed-{adapter}-{rows}-narrow")
        if samples:
            value = ratio(samples["dbt seed"], samples["healed"], "inner")
            whole = ratio(samples["dbt seed"], samples["healed"])
            found.append(Verdict(goal, f"{value:.1f}x (the whole process {whole:.1f}x)", value >= factor))
        else:
            found.append(Verdict(goal))
    goal = "a seed on DuckDB: memory flat in the number of rows"
    few, many = (_samples(results, f"seed-duckdb-{rows}-narrow") for rows in (1000, 1_000_000))
    if not few or not many:
        return [*found, Verdict(goal)]
    low, high, theirs = (
        median(samples, "memory") for samples in (few["healed"], many["healed"], many["dbt seed"])
    )
    figure = f"{low:.0f} MiB at 1,000 rows, {high:.0f} at 1,000,000 (`dbt seed`: {theirs:.0f})"
    return [*found, Verdict(goal, figure, high <= 1.5 * low)]
