"""What commands cost in numbers that do not depend on the machine: counted, recorded, compared."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import projects
from measure import STATEMENT, run

RECORD = Path(__file__).with_name("counts.json")
COUNTING = projects.ROOT / "tests" / "support" / "counting.py"
COUNTED = ("calls", "templates", "characters", "queries", "events")
DBT = Path(sys.executable).with_name("dbt")
TOLERANCE = 0.01  # of what the package adds
NOISE = 0.001  # of the whole command
CHANCE = {"events": 2}  # one line of dbt's log more or less comes and goes with time
OTHER_VERSIONS = 0.1
OFF = {"DBT_SELFHEAL_ENABLED": "false"}
NOTHING = {"macros/nothing.sql": "{% macro nothing() %}{% endmacro %}\n"}
PLAN = ("run-operation", "initialization_plan", "--args", '{"select": ["leaf"]}')
Counts = dict[str, int]
Entry = dict[str, Any]
Found = tuple[str, str, dict[str, Counts]]


@dataclass(frozen=True)
class Case:
    """Commands that are counted on the same projects.

    Attributes:
        name: For --only.
        fast: Whether it is part of --check.
        quick: Whether it is part of --check --quick, which CI runs.
        measure: Yields key, title and what each contender takes: first with the package, then without.
    """

    name: str
    fast: bool
    measure: Callable[[Path], Iterator[Found]]
    quick: bool = False


def count(folder: Path, *arguments: str, **variables: str) -> Counts:
    """Runs dbt, which must succeed, and returns what it takes.

    Args:
        folder: The project.
        arguments: After `dbt`.
        variables: More environment variables.

    Returns:
        `calls` of Python functions, `templates` and `characters` that Jinja compiles, and among them
        `compiled`, the characters of the package's macros; `queries`, and `events` in dbt's log.
    """
    target = folder / "counts.json"
    log = folder / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    run(folder, sys.executable, COUNTING, target, *arguments, PYTHONHASHSEED="0", **variables)
    content = json.loads(target.read_text())
    lines = log.read_text().splitlines()
    found = {name: content[name] for name in ("calls", "templates", "characters", "compiled")}
    return {**found, "queries": sum(STATEMENT in line for line in lines), "events": len(lines)}


def _pair(folder: Path, name: str, files: Mapping[str, str], *, heals: bool = False) -> tuple[Path, Path]:
    """Makes a project with the package and one without, both parsed; returns their folders."""
    found = []
    for package in (True, False):
        project = projects.make(folder / f"{name}-{int(package)}", files, package=package, heals=heals)
        run(project, DBT, "parse")
        found.append(project)
    return found[0], found[1]


def _warm(folder: Path) -> Iterator[Found]:
    files = projects.models("layered", 1000, ends=2)
    ours, plain = _pair(folder, "warm", files)
    quiet = projects.make(folder / "quiet", files)
    projects.without_hook(quiet)
    hook = projects.make(folder / "hook", files, package=False, more={"on-run-start": ["{{ '' }}"]})
    both = {"with": ours, "without": plain}
    every = {**both, "the package without its hook": quiet, "an empty hook": hook}
    for name, project in every.items():
        projects.pretend_built(project, files)
        if name not in both:
            run(project, DBT, "parse")
    warm = {name: count(path, "run", "-s", "leaf") for name, path in every.items()}
    yield "warm-1000", "`dbt run -s leaf`, nothing missing, 1,000 nodes", warm
    for key, title, command in (
        ("ls", "`dbt ls`, 1,000 nodes", ("ls",)),
        ("parse-partial", "`dbt parse`, nothing changed, 1,000 nodes", ("parse",)),
        ("parse-full", "`dbt parse --no-partial-parse`, 1,000 nodes", ("parse", "--no-partial-parse")),
    ):
        yield key, title, {name: count(path, *command) for name, path in both.items()}


def _small(folder: Path) -> Iterator[Found]:
    """Nothing missing in a project that is quickly parsed."""
    files = projects.models("layered", 100, ends=2)
    both = dict(zip(("with", "without"), _pair(folder, "small", files), strict=True))
    for project in both.values():
        projects.pretend_built(project, files)
    for key, title, command in (
        ("small-run", "`dbt run -s leaf`, nothing missing, 100 nodes", ("run", "-s", "leaf")),
        ("small-parse", "`dbt parse --no-partial-parse`, 100 nodes", ("parse", "--no-partial-parse")),
    ):
        yield key, title, {name: count(path, *command) for name, path in both.items()}


def _plan(shape: str, nodes: int) -> Callable[[Path], Iterator[Found]]:
    """The plan with everything missing, beside an operation of the same project that does nothing."""

    def measure(folder: Path) -> Iterator[Found]:
        project = projects.make(folder / "plan", {**projects.models(shape, nodes), **NOTHING})
        run(project, DBT, "parse")
        found = {"with": count(project, *PLAN), "without": count(project, "run-operation", "nothing")}
        yield f"plan-{shape}-{nodes}", f"the plan of {nodes:,} missing nodes, {shape}", found

    return measure


def _cold(folder: Path) -> Iterator[Found]:
    ours, plain = _pair(folder, "cold", projects.foundation())
    built = {
        "with": count(ours, "run", "-s", "leaf"),
        "without": count(plain, "build", "-s", "+leaf"),
    }
    yield "cold", "an empty workspace to a finished leaf, 12 nodes, beside `dbt build -s +leaf`", built


def _heal(shape: str, nodes: int) -> Callable[[Path], Iterator[Found]]:
    def measure(folder: Path) -> Iterator[Found]:
        files = projects.models(shape, nodes + 1, tables=True)
        ours, plain = _pair(folder, "heal", files, heals=True)
        built = {
            "with": count(ours, "run", "-s", "leaf"),
            "without": count(plain, "build"),
        }
        yield f"heal-{shape}-{nodes}", f"{nodes:,} missing tables, {shape}, beside `dbt build`", built

    return measure


CASES = [
    Case("warm", True, _warm),
    Case("small", True, _small, quick=True),
    Case("cold", True, _cold, quick=True),
    Case("heal", True, _heal("layered", 100)),
    *(Case(f"chain-{nodes}", False, _heal("chain", nodes)) for nodes in (25, 50, 100)),
    *(Case(f"plan-{nodes}", False, _plan("layered", nodes)) for nodes in (1000, 2000, 4000, 10_000)),
    *(Case(f"fan-{nodes}", False, _plan("fan", nodes)) for nodes in (1000, 2000, 4000)),
]


def measure(
    folder: Path,
    only: Sequence[str],
    tell: Callable[[str], None],
    *,
    fast: bool = False,
    quick: bool = False,
) -> Iterator[tuple[str, Entry]]:
    """Counts, and yields each entry of counts.json by its key.

    Args:
        folder: For projects.
        only: Names of cases; all if empty.
        tell: Is told of each figure.
        fast: Whether to count the fast cases alone.
        quick: Whether to count the quick cases alone, which are some of the fast ones.
    """
    for case in CASES:
        if (only and case.name not in only) or (fast and not case.fast) or (quick and not case.quick):
            continue
        place = folder / case.name
        for key, title, contenders in case.measure(place):
            tell(
                f"{key}: "
                + ", ".join(f"{name} {found['calls']:,} calls" for name, found in contenders.items())
            )
            yield key, {"title": title, "fast": case.fast, "contenders": contenders}
        shutil.rmtree(place)


def added(entry: Mapping[str, Any], what: str) -> int:
    """Returns how much more the package takes, of one of COUNTED, than dbt without it."""
    with_package, without = list(entry["contenders"].values())[:2]
    return int(with_package[what]) - int(without[what])


def exceeded(key: str, found: Entry, recorded: Entry | None, *, tolerance: float = TOLERANCE) -> list[str]:
    """Compares an entry with the record.

    Where the command itself takes more calls than was recorded, so may what the package adds: another patch
    of dbt or Python changes both.

    Args:
        key: Its key.
        found: What was counted.
        recorded: What was counted before; None if there is no such entry.
        tolerance: How much more may be added than before, as a share of that.

    Returns:
        One line for each count that is exceeded, and for an entry that is not recorded.
    """
    if recorded is None:
        return [f"{key} is not recorded"]
    lines = []
    for what in COUNTED:
        before, now = added(recorded, what), added(found, what)
        if what == "calls":
            before = max(before, round(before * _without(found, what) / _without(recorded, what)))
        whole = recorded["contenders"]["with"][what]
        if now - before > max(tolerance * abs(before), NOISE * whole, CHANCE.get(what, 0)):
            lines.append(f"{key}: the package adds {now:,} {what}, and {before:,} are recorded")
    return lines


def _without(entry: Mapping[str, Any], what: str) -> int:
    return int(list(entry["contenders"].values())[1][what])
