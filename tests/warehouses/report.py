"""Makes the README's table of adapters from what the tests of warehouses leave under target/warehouses.

scripts/test --only ADAPTER              the results of one, by what stands for it and by statements
.venv/dev/bin/python tests/warehouses/report.py     the table; a row without new results stays as it is

The rows of the databases that the tests have for themselves are those of docs/fidelity.md.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- adapters: made by tests/warehouses/report.py -->", "<!-- adapters end -->"
HEAD = "| adapter | tested with | how | shown | not promised |\n|---|---|---|---|---|"
SHOWN = {
    "equal": "healed equals built, from the catalog ({})",
    "stays": "what exists stays, only what is missing comes back",
    "source": "a missing source is named",
    "killed": "a killed run is repeated ({})",
    "two": "two at once double nothing",
    "statements": "the statements of `dbt build`, in order ({})",
    "untouched": "nothing that exists is touched",
    "verified": "verification asks the warehouse",
    "cloned": "clones as `dbt clone`",
}
OWN = ("DuckDB", "PostgreSQL", "SQLite", "Spark")


def own_rows() -> dict[str, str]:
    """Returns the rows of the databases in docs/fidelity.md, of the newest dbt there, by name."""
    found: dict[str, str] = {}
    pattern = r"^\| (\w+), dbt-core (\S+), adapter (\S+) \| "
    pattern += r"all leaves and tests in one command \| 1 \| (.+?) equal \|$"
    page = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    for name, core, plugin, count in re.findall(pattern, page, re.MULTILINE):
        limits = "[what is not promised anywhere](docs/reliability.md#not-promised)"
        found[name] = _row(
            name, f"dbt-core {core}, adapter {plugin}", "itself", [SHOWN["equal"].format(count)], limits
        )
    return found


def warehouse_rows() -> dict[str, str]:
    """Returns the rows of the warehouses for which there are results, by name."""
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).with_name("beds").glob("*.json")):
        bed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        results = [
            json.loads(result.read_text())
            for what in SHOWN
            if (result := ROOT / "target" / "warehouses" / f"{path.stem}-{what}.json").exists()
        ]
        if not results:
            continue
        versions = ", ".join(f"{name} {number}" for name, number in results[0]["versions"].items())
        engines = sorted({result["engine"] for result in results if result["engine"]})
        how = f"{', '.join(engines)}: {bed['stand_in']}" if engines else "statements, without a warehouse"
        shown = [SHOWN[result["what"]].format(result["found"]) for result in results]
        found[bed["name"]] = _row(bed["name"], versions, how, shown, bed["not_promised"])
    return found


def _row(name: str, versions: str, how: str, shown: list[str], limits: str) -> str:
    return f"| {name} | {versions} | {how} | {'; '.join(shown)} | {limits} |"


def main() -> int:
    """Writes the table into README.md and returns 0."""
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    kept = {row.split(" | ")[0].removeprefix("| "): row for row in table.splitlines() if row.startswith("| ")}
    kept.pop("adapter", None)
    rows = {**kept, **own_rows(), **warehouse_rows()}
    order = [*OWN, *sorted(set(rows) - set(OWN))]
    lines = "\n".join(rows[name] for name in order if name in rows)
    page.write_text(f"{before}{BEGIN}\n{HEAD}\n{lines}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
