"""Measuring whole processes: contenders in turn, each in a fresh state, at least five rounds."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Samples = dict[str, list[float]]
KEPT = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PYTHON", "VIRTUAL_ENV", "PG"))}
ENVIRONMENT = {
    **KEPT,
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_USE_COLORS": "false",
    "DBT_LOG_FORMAT_FILE": "json",
    "DBT_LOG_FILE_MAX_BYTES": "0",  # one file, in which all statements are counted
    "NO_COLOR": "1",
}
# The event of the log that carries a statement.
STATEMENT = '"name": "SQLQuery"'


def _nothing() -> None:
    """No preparation."""


@dataclass(frozen=True)
class Contender:
    """One of those that are compared: commands that run one after the other, as one measurement.

    Attributes:
        name: As it stands in the tables.
        commands: The command lines.
        folder: Where they run; `logs/dbt.log` there tells the number of queries.
        prepare: Brings the state back in which they start; not measured.
        variables: More environment variables.
        inner: Finds the seconds of the part that matters, in the folder, when the whole process hides it.
        until_line: Stop at the first line on standard error, and measure until then.
        trips: Tells how many round trips to the database there have been so far.
    """

    name: str
    commands: Sequence[Sequence[str | Path]]
    folder: Path
    prepare: Callable[[], object] = _nothing
    variables: Mapping[str, str] = field(default_factory=dict)
    inner: Callable[[Path], float | None] | None = None
    until_line: bool = False
    trips: Callable[[], int] | None = None


def alternate(
    contenders: Sequence[Contender], pairs: int, tell: Callable[[str], None], *, warm_up: bool = True
) -> dict[str, Samples]:
    """Measures contenders in turn, in turning order.

    Args:
        contenders: What is compared.
        pairs: How many rounds count.
        tell: Is told of each round.
        warm_up: Whether a round that does not count comes first.

    Returns:
        The samples of each contender by its name: `wall` and `cpu` in seconds, `memory` (peak of the largest
        process) in MiB, `queries`, and where the contender has them `trips`, and `inner` in seconds.
    """
    found: dict[str, dict[str, list[float]]] = {contender.name: {} for contender in contenders}
    for count in range(0 if warm_up else 1, pairs + 1):
        for contender in contenders if count % 2 else reversed(contenders):
            contender.prepare()
            sample = _measure(contender)
            if count:
                for what, value in sample.items():
                    found[contender.name].setdefault(what, []).append(value)
        if count:
            walls = ", ".join(f"{name} {samples['wall'][-1]:.2f} s" for name, samples in found.items())
            tell(f"  round {count} of {pairs}: {walls}")
    return found


def run(folder: Path, *command: str | Path, **variables: str) -> str:
    """Runs a command that must succeed, unmeasured; returns what it printed."""
    environment = {**ENVIRONMENT, **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        text = (done.stdout + done.stderr)[-3000:]
        raise SystemExit(f"{' '.join(map(str, command))} failed in {folder}:\n{text}")
    return done.stdout


def _measure(contender: Contender) -> dict[str, float]:
    log = contender.folder / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    wall = cpu = memory = 0.0
    before = contender.trips() if contender.trips else 0
    for command in contender.commands:
        started = time.perf_counter()
        with (contender.folder / "output.txt").open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=contender.folder,
                env={**ENVIRONMENT, **contender.variables},
                stdout=output,
                stderr=subprocess.PIPE if contender.until_line else subprocess.STDOUT,
            )
            if process.stderr is not None:
                process.stderr.readline()
                wall += time.perf_counter() - started
                process.kill()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if not contender.until_line:
            wall += time.perf_counter() - started
            if process.returncode:
                text = (contender.folder / "output.txt").read_text()[-3000:]
                raise SystemExit(f"{' '.join(map(str, command))} failed in {contender.folder}:\n{text}")
        cpu += usage.ru_utime + usage.ru_stime
        memory = max(memory, usage.ru_maxrss / 1024)
    sample = {"wall": wall, "cpu": cpu, "memory": memory}
    if contender.trips:
        sample["trips"] = float(contender.trips() - before)
    if log.exists():
        with log.open() as lines:
            sample["queries"] = float(sum(STATEMENT in line for line in lines))
    seconds = contender.inner(contender.folder) if contender.inner else None
    return sample if seconds is None else {**sample, "inner": seconds}


def _events(folder: Path, name: str) -> list[dict[str, Any]]:
    """The package's events of that name in dbt's log: JSON objects that macros have logged."""
    mark = f'\\"event\\": \\"{name}\\"'
    lines = (folder / "logs" / "dbt.log").read_text().splitlines()
    return [json.loads(json.loads(line)["info"]["msg"]) for line in lines if mark in line]


def healing_seconds(folder: Path) -> float | None:
    """The time from the first to the last event of healing."""
    found = _events(folder, "initialization_complete")
    return float(found[-1]["duration_seconds"]) if found else None


def hook_seconds(folder: Path) -> float:
    """The seconds of the package's hook, as dbt reports them."""
    text = (folder / "logs" / "dbt.log").read_text()
    return float(re.findall(r"OK hook: dbt_selfheal\.on-run-start\.0 .*in ([0-9.]+)s", text)[-1])


def seed_seconds(folder: Path) -> float:
    """The time that healing spent on reading, checking and loading seeds."""
    names = ("initialization_seed_checked", "initialization_node_complete")
    return float(sum(event["duration_seconds"] for name in names for event in _events(folder, name)))


def plan_seconds(folder: Path) -> float:
    """The median of the plans that projects.TIME_PLAN has made."""
    return float(statistics.median(event["seconds"] for event in _events(folder, "plan")))


def node_seconds(folder: Path) -> float:
    """The time that dbt itself spent on its nodes in the last invocation, hooks left out."""
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    nodes = [result for result in results if not result["unique_id"].startswith("operation.")]
    return float(sum(result["execution_time"] for result in nodes))


def printed_seconds(folder: Path) -> float:
    """What the command has printed."""
    return float((folder / "output.txt").read_text())


def median(samples: Mapping[str, Sequence[float]], what: str = "wall") -> float:
    """The median of a contender's samples."""
    return statistics.median(samples[what])


def ratio(
    one: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]], what: str = "wall"
) -> float:
    """The median of the ratios, round by round."""
    return statistics.median(a / b for a, b in zip(one[what], other[what], strict=True))


def difference(one: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]]) -> float:
    """The median of the differences in wall time, round by round, in seconds."""
    return statistics.median(a - b for a, b in zip(one["wall"], other["wall"], strict=True))
