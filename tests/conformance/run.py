"""Runs dbt's own conformance suite without the package, with it, and with it where something was dropped.

    python tests/conformance/run.py                     the sample, on DuckDB and PostgreSQL
    python tests/conformance/run.py --all               every test of dbt-tests-adapter
    python tests/conformance/run.py --adapter duckdb    one database
    python tests/conformance/run.py -k snapshot         anything else is for pytest

A test is equal if its outcome, the result of every dbt command in it and every relation that it leaves behind
are those of the run without the package. What may differ is in differences.yml, each entry with its reason.
Exits with 1 if anything else differs, or if half of the tests or more fail without the package too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
ADAPTERS = ("duckdb", "postgres")
BASE, *COMPARED = ("none", "warm", "dropped")
MEANING = {"warm": "with it", "dropped": "with it, parents dropped"}

Test = dict[str, Any]
Answer = dict[str, Test]


@dataclass
class Comparison:
    """The tests of one run beside those of the run without the package."""

    adapter: str
    mode: str
    tests: int = 0
    commands: int = 0
    dropped: int = 0
    failing: list[str] = field(default_factory=list)
    explained: dict[str, str] = field(default_factory=dict)
    different: dict[str, str] = field(default_factory=dict)

    @property
    def equal(self) -> int:
        """How many tests have the same results."""
        return self.tests - len(self.explained) - len(self.different)


def main() -> int:
    """Runs what the command line asks for, prints the table and returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--adapter", action="append", choices=ADAPTERS, help="default: each")
    parser.add_argument("--all", action="store_true", help="every test, not only the sample")
    parser.add_argument("--package", type=Path, default=HERE.parents[1], help="another copy of the package")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once (default: 2)")
    parser.add_argument("--answers", type=Path, help="folder for what was recorded (default: none is kept)")
    parser.add_argument("--reuse", action="store_true", help="run only what --answers lacks")
    options, arguments = parser.parse_known_args()
    adapters = options.adapter or list(ADAPTERS)
    arguments += [] if options.all or arguments else ["--sample"]
    with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
        folder: Path = (options.answers or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        runs = [(adapter, mode) for adapter in adapters for mode in (BASE, *COMPARED)]
        todo = [run for run in runs if not (options.reuse and _answer(folder, *run).exists())]
        with ThreadPoolExecutor(options.jobs) as pool:
            started = [
                pool.submit(_run, adapter, mode, folder, Path(scratch), options.package.resolve(), arguments)
                for adapter, mode in todo
            ]
            logs = [future.result() for future in started]
        if any(logs):
            print("\n".join(filter(None, logs)))
            return 1
        answers = {run: json.loads(_answer(folder, *run).read_text()) for run in runs}
    differences = yaml.safe_load((HERE / "differences.yml").read_text()) or []
    comparisons = [
        _compare(adapter, mode, answers[adapter, BASE], answers[adapter, mode], differences)
        for adapter in adapters
        for mode in COMPARED
    ]
    stale = _stale(comparisons, differences) if options.all else []
    _print(comparisons, stale)
    broken = [each for each in comparisons if 2 * len(each.failing) >= each.tests or not each.commands]
    for each in broken:
        print(f"NOTHING COMPARED on {each.adapter}: half of the tests or more fail without the package too")
    return 1 if broken or stale or any(comparison.different for comparison in comparisons) else 0


def _answer(folder: Path, adapter: str, mode: str) -> Path:
    return folder / f"{adapter}-{mode}.json"


def _run(adapter: str, mode: str, folder: Path, scratch: Path, package: Path, arguments: list[str]) -> str:
    """Runs the suite once; returns the output if it did not come to its end, else nothing."""
    root = scratch / f"{adapter}-{mode}"  # where dbt's fixtures write their logs
    root.mkdir()
    answer = _answer(folder, adapter, mode)
    answer.unlink(missing_ok=True)
    command: list[str | Path] = [sys.executable, "-m", "pytest", HERE / "suites.py"]
    command += ["-c", HERE / "pytest.ini", "--confcutdir", HERE]
    command += ["--rootdir", root, "--basetemp", root / "tmp"]
    command += ["--adapter", adapter, "--with-package", mode, "--package", package, "--answer", answer]
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("DBT_", "PYTEST_"))}
    done = subprocess.run(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=root,
        env=variables,
        check=False,
    )
    if done.returncode in {0, 1} and answer.exists():  # 1: tests failed, which is compared
        return ""
    return f"The run {adapter}, {mode} ended with exit code {done.returncode}:\n{done.stdout[-4000:]}"


def _compare(
    adapter: str, mode: str, base: Answer, other: Answer, differences: list[dict[str, Any]]
) -> Comparison:
    """Compares a run with the one without the package, test by test."""
    comparison = Comparison(adapter, mode, tests=len(base.keys() | other.keys()))
    for name in sorted(base.keys() | other.keys()):
        without, with_it = base.get(name, {}), other.get(name, {})
        commands = with_it.get("commands", [])
        comparison.commands += len(commands)
        comparison.dropped += sum("dropped" in command for command in commands)
        if without.get("outcome") in {"failed", "error"}:
            comparison.failing.append(name)
        difference = _difference(without, with_it)
        if not difference:
            continue
        entry = next((entry for entry in differences if _applies(entry, adapter, mode, name)), None)
        if entry is None:
            comparison.different[name] = difference
        else:
            comparison.explained[name] = entry["reason"].strip()
    return comparison


def _difference(without: Test, with_it: Test) -> str:
    """Returns what is the first difference between two runs of a test, empty if there is none."""
    if without.get("outcome") != with_it.get("outcome"):
        why = without.get("why") or with_it.get("why") or ""
        return f"{without.get('outcome', 'not run')} -> {with_it.get('outcome', 'not run')}: {why}"
    pairs = [
        ({key: value for key, value in command.items() if key != "dropped"} for command in commands)
        for commands in (without.get("commands", []), with_it.get("commands", []))
    ]
    first, second = map(list, pairs)
    for one, two in zip(first, second, strict=False):
        if one != two:
            return f"dbt {one['command']}: {_changed(one, two)}"
    if len(first) != len(second):
        return f"{len(first)} -> {len(second)} commands"
    if without.get("database") != with_it.get("database"):
        return f"database: {_changed(without['database'], with_it['database'])}"
    return ""


def _changed(one: Any, two: Any) -> str:
    """Returns what two results do not have in common."""
    if isinstance(one, dict) and isinstance(two, dict):
        keys = [key for key in sorted(one.keys() | two.keys()) if one.get(key) != two.get(key)]
        return "; ".join(f"{key}: {_changed(one.get(key), two.get(key))}" for key in keys)
    if isinstance(one, list) and isinstance(two, list):
        return f"{[line for line in one if line not in two]} -> {[line for line in two if line not in one]}"
    return f"{one} -> {two}"


def _applies(entry: dict[str, Any], adapter: str, mode: str, name: str) -> bool:
    """Tells whether an entry of differences.yml speaks of a test in a run."""
    return (
        fnmatchcase(name, entry["test"])
        and adapter in entry.get("adapters", ADAPTERS)
        and mode in entry.get("runs", COMPARED)
    )


def _stale(comparisons: list[Comparison], differences: list[dict[str, Any]]) -> list[str]:
    """Returns the entries of differences.yml that no run of their adapters and modes needed."""
    return [
        entry["test"]
        for entry in differences
        if not any(
            _applies(entry, comparison.adapter, comparison.mode, name)
            for comparison in comparisons
            for name in comparison.explained
        )
        and any(comparison.adapter in entry.get("adapters", ADAPTERS) for comparison in comparisons)
    ]


def _print(comparisons: list[Comparison], stale: list[str]) -> None:
    """Prints the differences, the reasons, and the table last."""
    for comparison in comparisons:
        where = f"{comparison.adapter}, {MEANING[comparison.mode]}"
        for name, difference in comparison.different.items():
            print(f"\nDIFFERENT ({where}): {name}\n    {difference[:1500]}")
    reasons: dict[str, list[str]] = {}
    for comparison in comparisons:
        for name, reason in comparison.explained.items():
            reasons.setdefault(reason, []).append(f"{comparison.adapter}, {comparison.mode}: {name}")
    for reason, names in reasons.items():
        print(f"\n{reason}\n    " + "\n    ".join(names))
    for name in stale:
        print(f"\nNO LONGER DIFFERENT, take it out of differences.yml: {name}")
    versions = ", ".join(f"{name} {version(name)}" for name in ("dbt-tests-adapter", "dbt-core"))
    print(f"\nConformance: {versions}. Fail alone: tests that fail without the package too, and are compared")
    print("all the same. Dropped: commands before which something that they read was dropped.\n")
    print(
        f"{'adapter':9} {'without the package, and':25} {'tests':>5} {'equal':>5} {'reasons':>7} "
        f"{'different':>9} {'fail alone':>10} {'commands':>8} {'dropped':>7}"
    )
    for c in comparisons:
        print(
            f"{c.adapter:9} {MEANING[c.mode]:25} {c.tests:5} {c.equal:5} {len(c.explained):7} "
            f"{len(c.different):9} {len(c.failing):10} {c.commands:8} {c.dropped:7}"
        )


if __name__ == "__main__":
    sys.exit(main())
