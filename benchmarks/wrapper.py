"""Times the wrapper beside what it wraps: medians of several runs, in one empty or ready workspace.

The CPU time, own and of all children, is less moved by other work on the machine than the time that passes.

.venv/dev/bin/python benchmarks/wrapper.py --runs 5
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from concurrent_ensure import make_workspace

from dbt_selfheal import AutoInitializer

BIN = Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
}


def run(folder: Path, *command: str) -> None:
    """Runs a command, which must succeed."""
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)


def first_line(folder: Path) -> None:
    """Waits for the first line of `ensure`."""
    process = subprocess.Popen(
        ["dbt-selfheal", "ensure"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    process.stderr.readline()
    process.kill()
    process.wait()


def empty(folder: Path) -> None:
    """Makes the workspace empty; what dbt has parsed stays."""
    for path in folder.glob("warehouse.duckdb*"):
        path.unlink()


def main() -> None:
    """Measures, alternating between the candidates so that the machine's moods hit all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold-runs", type=int, default=5)
    cold_runs = parser.parse_args().cold_runs
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_workspace(folder)
        initializer = AutoInitializer(folder, profiles_dir=folder, timeout_seconds=300)
        initializer.ensure_initialized()
        run(folder, "dbt-selfheal", "ensure")

        def bare_catalog() -> None:
            with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
                connection.execute("select table_name from information_schema.tables").fetchall()

        def three() -> None:
            # Not by --vars: with other variables dbt parses the whole project anew.
            run(folder, "env", "DBT_SELFHEAL_ENABLED=false", "dbt", "seed", "--full-refresh")
            run(folder, "env", "DBT_SELFHEAL_ENABLED=false", "dbt", "run", "--select", "orders", "totals")
            run(folder, "env", "DBT_SELFHEAL_ENABLED=false", "dbt", "run", "-s", "report")

        warm: dict[str, Callable[[], None]] = {
            "first line of ensure": lambda: first_line(folder),
            "ensure, warm": lambda: run(folder, "dbt-selfheal", "ensure"),
            "python -c pass": lambda: run(folder, sys.executable, "-c", "pass"),
            "ensure_initialized(), warm": lambda: (initializer.ensure_initialized(), None)[1],
            "bare catalog query": bare_catalog,
        }
        report(warm, runs * 3, lambda: None)
        cold: dict[str, Callable[[], None]] = {
            "exec -- dbt run -s report, cold": lambda: run(
                folder, "dbt-selfheal", "exec", "--", "dbt", "run", "-s", "report"
            ),
            "dbt run -s report, cold": lambda: run(folder, "dbt", "run", "-s", "report"),
            "dbt seed; dbt run; dbt run, cold": three,
        }
        report(cold, cold_runs, lambda: empty(folder))


def report(candidates: dict[str, Callable[[], None]], runs: int, prepare: Callable[[], None]) -> None:
    """Prints the median and the best time of each candidate, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    cpu: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(runs):
        for name, action in candidates.items():
            prepare()
            used, started = sum(os.times()[:4]), time.perf_counter()
            action()
            cpu[name].append(sum(os.times()[:4]) - used)
            times[name].append(time.perf_counter() - started)
    for name, found in times.items():
        cpu_median = statistics.median(cpu[name])
        print(
            f"{name:<36} median {statistics.median(found):7.3f} s   best {min(found):7.3f} s   "
            f"CPU {cpu_median:6.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
