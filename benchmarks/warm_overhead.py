"""What the package costs when nothing is missing: `dbt run` of one leaf with and without it, in turn.

python benchmarks/warm_overhead.py [PAIRS]      # in an environment with dbt-core and dbt-duckdb (.venv/demo)
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DBT = Path(sys.executable).with_name("dbt")
COMMAND = [str(DBT), "--quiet", "run", "--select", "fct_contributions"]


def workspace(folder: Path, *, package: bool) -> Path:
    """Makes a copy of the workforce workspace, ready and parsed, with or without the package."""
    ignored = shutil.ignore_patterns(
        "target", "logs", "dbt_packages", "*.duckdb*", "dbt_utils", "package-lock.yml"
    )
    shutil.copytree(ROOT / "integration_tests", folder, ignore=ignored)
    (folder / "packages.yml").write_text(
        "packages:\n" + f"  - local: {json.dumps(str(ROOT))}\n" if package else ""
    )
    for arguments in (["deps"], ["build"], ["run", "--select", "fct_contributions"]):
        subprocess.run([str(DBT), "--quiet", *arguments], cwd=folder, check=True)
    return folder


def main() -> None:
    """Prints the median, least and most seconds of each, and of the difference pair by pair."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    with tempfile.TemporaryDirectory() as temporary:
        folders = [workspace(Path(temporary) / name, package=name == "with") for name in ("with", "without")]
        seconds: list[list[float]] = [[], []]
        for _ in range(pairs):
            for folder, taken in zip(folders, seconds, strict=True):
                started = time.perf_counter()
                subprocess.run(COMMAND, cwd=folder, check=True)
                taken.append(time.perf_counter() - started)
    differences = [a - b for a, b in zip(*seconds, strict=True)]
    for name, values in (("with", seconds[0]), ("without", seconds[1]), ("difference", differences)):
        print(f"{name:10} {statistics.median(values):6.3f} s  ({min(values):.3f} to {max(values):.3f})")
    print(f"ratio      {statistics.median(seconds[0]) / statistics.median(seconds[1]):6.3f}")


if __name__ == "__main__":
    main()
