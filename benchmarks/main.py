"""The command of scripts/bench: measure, keep, page."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import page
from cases import CASES, QUICK, WHOLE, Bench
from rich.console import Console

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Runs the chosen benchmarks; what they find replaces the same benchmarks' figures in results.json."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=main.__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="leave out what takes long: under 10 minutes on two cores"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help=f"repeatable: {', '.join(CASES)}"
    )
    parser.add_argument("--pairs", type=int, default=5, help="rounds that count (default: 5)")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page again")
    options = parser.parse_args()
    unknown = sorted(set(options.only) - set(CASES))
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(CASES)}")
    console = Console(width=150)
    content = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"machine": {}, "benchmarks": {}}
    names = [] if options.report else options.only or (QUICK if options.quick else WHOLE)
    started = time.monotonic()
    measured: list[str] = []

    def keep(key: str, entry: dict[str, Any]) -> None:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        content["benchmarks"].pop(f"{key}-quick", None)
        content["benchmarks"][key] = {**_rounded(entry), "measured_at": now}
        content["machine"] = page.machine()
        RESULTS.write_text(json.dumps(content, indent=1) + "\n")
        measured.append(key)

    def tell(text: str) -> None:
        console.print(text, highlight=False)

    for name in names:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            CASES[name](Bench(folder, options.pairs, quick=options.quick, tell=tell, keep=keep))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    page.show(console, content["benchmarks"], measured)
    page.write_page(content)
    passed = time.monotonic() - started
    console.print(f"{len(measured)} benchmarks in {passed:.0f} s; see {page.PAGE}")


def _rounded(entry: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(entry), parse_float=lambda text: round(float(text), 4))  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
