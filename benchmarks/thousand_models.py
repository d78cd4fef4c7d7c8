"""Times healing 1,000 models from one leaf beside `dbt build --threads 1`, and compares the relations.

The two alternate in fresh DuckDB files; reported are the median of each and the ratio of the pairs. The CPU
time is less moved by other work on the machine than the time that passes.

.venv/dev/bin/python benchmarks/thousand_models.py --rounds 5
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "fidelity"))

from catalog import compared, differences, snapshot
from thousand import LAYERS, WIDTH, files

ROOT = Path(__file__).resolve().parents[1]
DBT = Path(sys.executable).parent / "dbt"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("DBT_")},
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}


def make_project(folder: Path) -> None:
    """Makes the project with the package installed, and parses it once."""
    for path, content in files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    description = {
        "name": "thousand",
        "version": "1.0.0",
        "config-version": 2,
        "profile": "thousand",
        "vars": {"dbt_selfheal": {"timeout_seconds": 3600}},
    }
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(description))
    (folder / "dbt_packages").mkdir()
    (folder / "dbt_packages" / "dbt_selfheal").symlink_to(ROOT)
    (folder / "packages.yml").write_text(yaml.safe_dump({"packages": [{"local": str(ROOT)}]}))
    output = {"type": "duckdb", "path": "warehouse.duckdb", "schema": "main", "threads": 1}
    profiles = {"thousand": {"target": "dev", "outputs": {"dev": output}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
    run(folder, "parse")


def run(folder: Path, *arguments: str, **variables: str) -> tuple[float, float]:
    """Runs dbt, which must succeed; returns the seconds that passed and those of the CPU."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(
        [DBT, *arguments],
        cwd=folder,
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"dbt {' '.join(arguments)} failed:\n{done.stdout[-3000:]}")
    return passed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Command line: see the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    plain: list[tuple[float, float]] = []
    healed: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder)
        database = folder / "warehouse.duckdb"
        for count in range(options.rounds):
            kept = []
            for kind in ("plain", "healed") if count % 2 else ("healed", "plain"):
                database.unlink(missing_ok=True)
                if kind == "plain":
                    plain.append(run(folder, "build", "--threads", "1", DBT_SELFHEAL_ENABLED="false"))
                else:
                    healed.append(run(folder, "run", "--threads", "1", "--select", "leaf"))
                kept.append(snapshot("duckdb", {"path": database}))
            found = differences(*kept)
            total = compared(*kept)
            equal = total - len({difference.relation for difference in found})
            print(
                f"round {count + 1}: {equal} of {total} relations equal; "
                f"build {plain[-1][0]:.1f} s (CPU {plain[-1][1]:.1f} s), "
                f"healing {healed[-1][0]:.1f} s (CPU {healed[-1][1]:.1f} s)",
                flush=True,
            )
            if found:
                raise SystemExit(f"first difference: {found[0]}")
    print(f"{LAYERS * WIDTH} models, {options.rounds} rounds")
    for what, place in (("time", 0), ("CPU", 1)):
        ratios = [one[place] / other[place] for one, other in zip(healed, plain, strict=True)]
        print(
            f"{what}: build {statistics.median(one[place] for one in plain):.1f} s, "
            f"healing {statistics.median(one[place] for one in healed):.1f} s, "
            f"ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
