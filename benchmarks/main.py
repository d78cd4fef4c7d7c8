"""The command of scripts/bench: measure, keep, page."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import counts
import page
from cases import CASES, QUICK, WHOLE, Bench
from rich.console import Console

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Runs the chosen benchmarks; what they find replaces the same benchmarks' figures.

    Seconds are kept in benchmarks/results.json, counts in benchmarks/counts.json; docs/performance.md is made
    of both.
    """
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=main.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="leave out what takes long: 10 minutes on two quiet cores, not 90; with --check less than 2",
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="see below; repeatable")
    parser.add_argument("--pairs", type=int, default=3, help="rounds that count (default: 3)")
    parser.add_argument(
        "--counts",
        action="store_true",
        help="count, in place of measuring: what does not depend on the machine",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="with --counts: keep nothing, fail where the record is exceeded; without --only, the fast ones",
    )
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page again")
    parser.epilog = (
        f"names of benchmarks: {', '.join(CASES)}\n"
        f"names with --counts: {', '.join(case.name for case in counts.CASES)}"
    )
    options = parser.parse_args()
    known = [case.name for case in counts.CASES] if options.counts else list(CASES)
    unknown = sorted(set(options.only) - set(known))
    if unknown:
        parser.error(f"nothing is named {', '.join(unknown)}; there are {', '.join(known)}")
    console = Console(width=150)
    if options.check:
        return check(options.only, console, quick=options.quick)
    started = time.monotonic()
    content = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if options.counts:
        keep_counts(options.only, console, fast=options.quick)
    elif not options.report:
        measured = keep_times(options, content, console)
        page.show(console, content, measured)
    page.write(content, _recorded())
    console.print(f"{time.monotonic() - started:.0f} s; see {page.PAGE}")
    return 0


def check(only: list[str], console: Console, *, quick: bool) -> int:
    """Compares counts with the record; returns the exit code."""
    record, here = _recorded(), page.machine()
    names = [name for name in page.VERSIONS if record["machine"].get(name) != here.get(name)]
    tolerance = counts.OTHER_VERSIONS if names else counts.TOLERANCE
    if names:
        differ = ", ".join(f"{name} {record['machine'].get(name)}, here {here.get(name)}" for name in names)
        console.print(f"recorded with {differ}: the tolerance is {tolerance:.0%}")
    exceeded = []
    with tempfile.TemporaryDirectory(prefix="counts-") as folder:
        for key, entry in counts.measure(Path(folder), only, _teller(console), fast=not only, quick=quick):
            exceeded += counts.exceeded(key, entry, record["counts"].get(key), tolerance=tolerance)
    for line in exceeded:
        console.print(line, highlight=False, soft_wrap=True)
    if exceeded:
        console.print(
            "If that is meant, say so in the commit, and record it: scripts/bench --counts --only NAME",
            soft_wrap=True,
        )
    return 1 if exceeded else 0


def keep_counts(only: list[str], console: Console, *, fast: bool) -> None:
    """Counts, and keeps what is found."""
    record = _recorded()
    with tempfile.TemporaryDirectory(prefix="counts-") as folder:
        for key, entry in counts.measure(Path(folder), only, _teller(console), fast=fast):
            record["counts"][key] = {**entry, "measured_at": _now(), "macros": page.machine()["macros"]}
            record["machine"] = page.machine()
            counts.RECORD.write_text(json.dumps(record, indent=1) + "\n")


def keep_times(options: argparse.Namespace, content: dict[str, Any], console: Console) -> list[str]:
    """Measures, and keeps what is found in the content of results.json; returns the keys."""
    measured: list[str] = []

    def keep(key: str, entry: dict[str, Any]) -> None:
        load = round(os.getloadavg()[1], 1)  # of the last five minutes
        content[key] = {**_rounded(entry), "measured_at": _now(), "machine": {**page.machine(), "load": load}}
        RESULTS.write_text(json.dumps(content, indent=1) + "\n")
        measured.append(key)

    for name in options.only or (QUICK if options.quick else WHOLE):
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            CASES[name](Bench(folder, options.pairs, quick=options.quick, tell=_teller(console), keep=keep))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return measured


def _recorded() -> dict[str, Any]:
    """Returns the content of counts.json."""
    if not counts.RECORD.exists():
        return {"machine": {}, "counts": {}}
    found: dict[str, Any] = json.loads(counts.RECORD.read_text())
    return found


def _teller(console: Console) -> Any:
    return lambda text: console.print(text, highlight=False, soft_wrap=True)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _rounded(entry: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(entry), parse_float=lambda text: round(float(text), 4))  # type: ignore[no-any-return]


if __name__ == "__main__":
    sys.exit(main())
