"""Starts many `dbt-selfheal ensure` at once on one empty DuckDB workspace, again and again.

Every round all must exit 0 and exactly one must have initialized. With --kill one of them, chosen by
chance, is killed in the middle of each round; the others must still get a ready workspace.

    .venv/dev/bin/python benchmarks/concurrent_ensure.py --rounds 50 --processes 16
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [
    sys.executable,
    "-m",
    "dbt_selfheal.cli",
    "ensure",
    "--json",
    "--timeout",
    "300",
    "--lock-timeout",
    "300",
]
FILES = {
    "dbt_project.yml": "name: shop\nversion: 1.0.0\nprofile: shop\n",
    "packages.yml": f"packages: [{{local: {ROOT}}}]\n",
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: warehouse.duckdb}}}\n",
    "seeds/raw.csv": "id\n1\n2\n",
    "models/orders.sql": "{{ config(materialized='table') }} select * from {{ ref('raw') }}\n",
    "models/totals.sql": "select count(*) as n from {{ ref('orders') }}\n",
    "models/report.sql": "{{ config(materialized='table') }} select * from {{ ref('totals') }}\n",
}
NAMES = sorted(Path(path).stem for path in FILES if path.startswith(("seeds", "models")))


def make_workspace(folder: Path) -> None:
    """Makes an empty workspace in a folder."""
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    (folder / "dbt_packages").mkdir()
    (folder / "dbt_packages" / "dbt_selfheal").symlink_to(ROOT)


def one_round(folder: Path, count: int, *, kill: bool) -> str | None:
    """Starts the processes on an empty database; returns what was wrong, or None."""
    for path in folder.glob("warehouse.duckdb*"):
        path.unlink()
    shutil.rmtree(folder / "target" / "dbt_selfheal", ignore_errors=True)
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    processes = [
        subprocess.Popen(
            COMMAND, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    victim = random.randrange(count) if kill else None
    if victim is not None:
        time.sleep(random.uniform(0.1, 6))
        processes[victim].kill()
    outputs = [process.communicate() for process in processes]
    created = []
    for number, (process, (stdout, stderr)) in enumerate(zip(processes, outputs, strict=True)):
        if number == victim:
            continue
        if process.returncode != 0:
            return f"exit code {process.returncode}: {stderr}"
        created += json.loads(stdout)["tables_created"]
    if kill:
        return None if len(created) == len(set(created)) else f"built twice: {created}"
    return None if sorted(created) == NAMES else f"not built exactly once: {sorted(created)}"


def main() -> int:
    """Runs the rounds; returns 1 at the first one that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        make_workspace(Path(name))
        for number in range(1, options.rounds + 1):
            started = time.monotonic()
            problem = one_round(Path(name), options.processes, kill=options.kill)
            print(f"round {number}: {problem or 'ok'} ({time.monotonic() - started:.1f} s)", flush=True)
            if problem:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
