"""The goals, and whether the figures meet them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from counts import added
from measure import Samples, difference, median, ratio

Entries = Mapping[str, Mapping[str, Any]]
BUILD = "dbt build --threads 1"


@dataclass(frozen=True)
class Verdict:
    """One goal.

    Attributes:
        goal: What is asked.
        figure: What was measured.
        met: Whether it meets the goal; None when it has not been measured.
        source: The entry of which the figure was made: when, with what, and under which load.
    """

    goal: str
    figure: str = ""
    met: bool | None = None
    source: Mapping[str, Any] | None = None


def verdicts(times: Entries, counts: Entries) -> list[Verdict]:
    """Every goal with its figure, counts first.

    Args:
        times: What is kept in results.json, by key.
        counts: What is kept in counts.json, by key.
    """
    found = [*_warm_counts(counts), *_growth(counts), *_trips(times), *_work(counts)]
    return [
        *found,
        *_engine(times),
        *_cold(times),
        *_plan(times),
        *_heal(times),
        *_scale(times),
        *_seeds(times),
    ]


def calls(entry: Mapping[str, Any], contender: str) -> int:
    """Returns the Python calls of a contender."""
    return int(entry["contenders"][contender]["calls"])


def _warm_counts(counts: Entries) -> Iterator[Verdict]:
    whole = "nothing missing, 1,000 nodes: at most 1.045 of the Python calls of a plain `dbt run`"
    hook = "nothing missing: the hook's own share at most 60,000 Python calls"
    query = "nothing missing: no extra query"
    entry = counts.get("warm-1000")
    if entry is None:
        yield from map(Verdict, (whole, hook, query))
        return
    share = calls(entry, "with") / calls(entry, "without")
    yield Verdict(whole, f"{share:.3f} ({added(entry, 'calls'):,} more)", share <= 1.045, entry)
    own = calls(entry, "with") - calls(entry, "the package without its hook")
    any_hook = calls(entry, "an empty hook") - calls(entry, "without")
    text = f"{own - any_hook:,} (any hook: {any_hook:,}; loading the macros: {added(entry, 'calls') - own:,})"
    yield Verdict(hook, text, own - any_hook <= 60_000, entry)
    numbers = [entry["contenders"][name]["queries"] for name in ("with", "without")]
    yield Verdict(query, f"{numbers[0]} with, {numbers[1]} without", numbers[0] == numbers[1], entry)


def _growth(counts: Entries) -> Iterator[Verdict]:
    """Twice the nodes add at most 2.1 times as much, one step after the other."""
    sizes = (1000, 2000, 4000)
    for goal, keys in (
        ("the plan grows with the nodes, and not faster", [f"plan-layered-{n}" for n in sizes]),
        ("the plan of a leaf grows with its parents, and not faster", [f"plan-fan-{n}" for n in sizes]),
        ("healing grows with what is missing, and not faster", [f"heal-chain-{n}" for n in (25, 50, 100)]),
    ):
        if not set(keys) <= set(counts):
            yield Verdict(goal)
            continue
        entries = [counts[key] for key in keys]
        heals = keys[0].startswith("heal")
        totals = [calls(entry, "with") if heals else added(entry, "calls") for entry in entries]
        steps = totals[1] - totals[0], totals[2] - totals[1]
        text = ", ".join(
            f"{int(key.rpartition('-')[2]):,}: {total:,}" for key, total in zip(keys, totals, strict=True)
        )
        slack = 0.01 * totals[0]  # of what does not grow at all
        yield Verdict(f"{goal} (Python calls)", text, steps[1] <= 2.1 * max(steps[0], 0) + slack, entries[-1])


def _trips(times: Entries) -> Iterator[Verdict]:
    goal = "healing on a server: at most the round trips a node of `dbt build`"
    if not {"latency-50", "latency-100"} <= set(times):
        yield Verdict(goal)
        return
    few, many = (times[f"latency-{nodes}"]["samples"] for nodes in (50, 100))
    each = {name: (median(many[name], "trips") - median(few[name], "trips")) / 50 for name in many}
    waits = {name: median(many[name], "trips") * 0.05 for name in many}
    text = (
        f"{each['hook']:.1f}, `dbt build` {each[BUILD]:.1f}; 100 tables at 50 ms wait {waits['hook']:.0f} s"
    )
    met = each["hook"] <= each[BUILD]
    yield Verdict(goal, f"{text} (`dbt build`: {waits[BUILD]:.0f} s)", met, times["latency-100"])


def _work(counts: Entries) -> Iterator[Verdict]:
    for key, what, limit in (
        (
            "cold",
            "an empty workspace, 12 nodes: at most 1.05 of the Python calls of `dbt build -s +leaf`",
            1.05,
        ),
        ("heal-layered-100", "healing 100 tables: at most 0.85 of the Python calls of `dbt build`", 0.85),
    ):
        entry = counts.get(key)
        if entry is None:
            yield Verdict(what)
            continue
        share = calls(entry, "with") / calls(entry, "without")
        yield Verdict(what, f"{share:.2f} ({added(entry, 'calls'):+,})", share <= limit, entry)


def _engine(times: Entries) -> Iterator[Verdict]:
    """What the package costs on dbt v2; only where that has been measured."""
    if samples := _samples(times, "engine-warm"):
        more = difference(samples["with"], samples["without"])
        goal = "dbt v2, nothing missing, 10 models: at most 0.03 s more"
        yield Verdict(goal, f"{more:+.3f} s", more <= 0.03, times["engine-warm"])


def _samples(times: Entries, key: str) -> dict[str, Samples] | None:
    return times[key]["samples"] if key in times else None


def _cold(times: Entries) -> Iterator[Verdict]:
    for goal, other, limit in (
        ("an empty workspace: at most 1.05 of `dbt build -s +leaf`", "dbt build -s +leaf", 1.05),
        ("an empty workspace: at most 0.5 of the three processes", "three processes", 0.5),
    ):
        samples = _samples(times, "cold")
        if not samples:
            yield Verdict(goal)
            continue
        value = ratio(samples["dbt run -s leaf, healing"], samples[other])
        yield Verdict(goal, f"{value:.2f}", value <= limit, times["cold"])


def _plan(times: Entries) -> Iterator[Verdict]:
    goal = "the plan of 10,000 nodes: at most 1.5 s"
    samples = _samples(times, "plan-layered")
    if not samples:
        yield Verdict(goal)
        return
    seconds = median(samples["10000"], "inner")
    yield Verdict(goal, f"{seconds:.2f} s", seconds <= 1.5, times["plan-layered"])


def _heal(times: Entries) -> Iterator[Verdict]:
    for nodes in (100, 1000):
        goal = f"healing {nodes:,} tables in the hook: at most 0.85 of `{BUILD}`"
        samples = _samples(times, f"heal-{nodes}")
        if not samples:
            yield Verdict(goal)
            continue
        value = ratio(samples["hook"], samples[BUILD])
        yield Verdict(goal, f"{value:.2f}", value <= 0.85, times[f"heal-{nodes}"])


def _scale(times: Entries) -> Iterator[Verdict]:
    for key, what in (
        ("scale-layered-2000", "2,000 missing of 20,000 nodes"),
        ("scale-layered-500", "500 missing of 5,000 nodes"),
        ("scale-fan-2000", "one leaf over 2,000 missing parents"),
    ):
        samples = _samples(times, key)
        goal = f"{what}: no slower than dbt, and no more memory"
        if not samples:
            yield Verdict(goal)
            continue
        ours, theirs = samples["hook"], samples[BUILD]
        figures = [ratio(ours, theirs, "cpu"), ratio(ours, theirs, "memory")]
        text = f"{figures[0]:.2f} of the CPU seconds, {figures[1]:.2f} of the memory"
        yield Verdict(goal, text, figures[0] <= 1.0 and figures[1] <= 1.05, times[key])


def _seeds(times: Entries) -> Iterator[Verdict]:
    for adapter, rows, factor in (
        ("duckdb", 100_000, 10),
        ("duckdb", 1_000_000, 20),
        ("postgres", 100_000, 1.5),
        ("sqlite", 10_000, 1),
    ):
        kind = "wide" if adapter == "sqlite" else "narrow"
        key = f"seed-{adapter}-{rows}-{kind}"
        goal = f"a seed of {rows:,} rows on {adapter}: at least {factor} times as fast as `dbt seed`"
        samples = _samples(times, key)
        if not samples:
            yield Verdict(goal)
            continue
        value = ratio(samples["dbt seed"], samples["healed"], "inner")
        whole = ratio(samples["dbt seed"], samples["healed"])
        yield Verdict(goal, f"{value:.1f} (the whole process {whole:.1f})", value >= factor, times[key])
    goal = "a seed on DuckDB: memory flat in the number of rows"
    few, many = (_samples(times, f"seed-duckdb-{rows}-narrow") for rows in (1000, 1_000_000))
    if not few or not many:
        yield Verdict(goal)
        return
    low, high, theirs = (
        median(samples, "memory") for samples in (few["healed"], many["healed"], many["dbt seed"])
    )
    figure = f"{low:.0f} MiB at 1,000 rows, {high:.0f} at 1,000,000 (`dbt seed`: {theirs:.0f})"
    yield Verdict(goal, figure, high <= 1.5 * low, times["seed-duckdb-1000000-narrow"])
