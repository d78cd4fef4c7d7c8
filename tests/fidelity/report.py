"""Makes docs/fidelity.md of the results that the fidelity tests leave under target/fidelity.

scripts/test --all tests/fidelity tests/functional/test_seeds_to_the_letter.py     the results
python tests/fidelity/report.py                                                    the page
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from ignores import IGNORES

ROOT = Path(__file__).parents[2]
Result = Mapping[str, Any]
Place = tuple[str, str]  # adapter, dbt version

ADAPTERS = ("duckdb", "postgres", "sqlite", "spark")
NAMES = {"duckdb": "DuckDB", "postgres": "PostgreSQL", "sqlite": "SQLite", "spark": "Spark"}
#: What the database's catalog tells of a relation, as catalog.py reads it, by adapter.
COMPARED = {
    "duckdb": (
        "kind, columns (order, type, nullability, default), rows, primary, unique, check and foreign keys, "
        "indexes, comments on relation and columns, view definitions; functions, sequences and types; the "
        "files of `external` models through the views over them"
    ),
    "postgres": (
        "as DuckDB, and grants on relations and columns, owner, persistence (unlogged), partitions, storage "
        "options, identity, collation, rules, triggers, population of materialized views"
    ),
    "sqlite": (
        "kind, columns (order, declared type, nullability, default), rows with the type of each value, "
        "primary and foreign keys, indexes, triggers, the SQL text of tables and views"
    ),
    "spark": (
        "kind and provider, columns (order, type, comment), rows, comment, owner, partition columns, "
        "the text of views"
    ),
}
KNOWN = (
    (
        "Values taken from the clock",
        "A check snapshot's times, and the key it makes of them, differ between any two builds.",
    ),
    (
        "Names of PostgreSQL indexes",
        "dbt names an index after the time of the run. Everything else about it is compared.",
    ),
    (
        "`run_results.json`",
        "A healed node is part of the hook, not a result of its own. The log's events name each.",
    ),
    (
        "`dbt build` runs tests after a node",
        "Healing does not: it runs the tests that the command selects, and no others.",
    ),
)


def read(folder: Path) -> list[dict[str, Any]]:
    """All results, in the order of their files' names."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def place(result: Result) -> Place:
    """Where a result was found: adapter and dbt version (major and minor)."""
    return result["adapter"], ".".join(result["dbt_version"].split(".")[:2])


def places(results: Iterable[Result]) -> list[Place]:
    """All places, by adapter, then version."""
    found = {place(result) for result in results}
    return sorted(found, key=lambda entry: (ADAPTERS.index(entry[0]), int(entry[1].split(".")[1])))


def share(equal: int, total: int) -> str:
    """`N of N`, or a dash for nothing."""
    return f"{equal} of {total}" if total else "-"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def whole(results: Iterable[Result]) -> list[Result]:
    """The results that say most: everything at once, and the projects beside the large one."""
    return [
        result
        for result in results
        if result.get("scope") in ("all leaves and tests", "leaf_overrides", "leaf_beside_python")
    ]


def counted(results: Iterable[Result], key: str) -> dict[str, dict[Place, Counter[str]]]:
    """By kind or feature and place: how many healed relations there are, and how many equal ones."""
    found: dict[str, dict[Place, Counter[str]]] = {}
    for result in whole(results):
        for relation in result["relations"].values():
            if relation["by"] == "command":
                continue  # a leaf, which dbt itself has built
            names = [relation["kind"]] if key == "kind" else relation["features"]
            for name in names:
                count = found.setdefault(name, {}).setdefault(place(result), Counter())
                count["total"] += 1
                count["equal"] += not relation["differences"]
    return found


def matrix(results: Sequence[Result], key: str, title: str) -> str:
    """The table of kinds or features by place."""
    columns = places(whole(results))
    rows = []
    for name, counts in sorted(counted(results, key).items()):
        cells = [counts.get(column, Counter()) for column in columns]
        rows.append([name, *(share(cell["equal"], cell["total"]) for cell in cells)])
    if key == "kind":
        sums = Counter[Place]()
        for result in whole(results):
            sums[place(result)] += result["ephemerals"]
        rows.append(
            ["ephemeral model, through what reads it", *(str(sums[column] or "-") for column in columns)]
        )
    return table([title, *(f"{NAMES[adapter]} {version}" for adapter, version in columns)], rows)


def runs(results: Sequence[Result]) -> str:
    """The table of all comparisons: what was run in an empty database, and what came of it."""
    rows = []
    for where in places(results):
        own = [result for result in results if place(result) == where and "relations" in result]
        alone = [result for result in own if result["project"] in ("testbed", "sqlite", "spark")]
        groups = {
            "all leaves and tests in one command": [r for r in alone if r["scope"] == "all leaves and tests"],
            "each leaf alone": [r for r in alone if r["scope"] != "all leaves and tests"],
            "a project that replaces dbt's own macros": [r for r in own if r["project"] == "overrides"],
            "beside what a hook refuses": [r for r in own if r["project"] == "refused"],
        }
        for what, group in groups.items():
            if group:
                total = sum(len(result["relations"]) for result in group)
                different = sum(
                    bool(relation["differences"]) for r in group for relation in r["relations"].values()
                )
                rows.append(
                    [
                        _versions(group[0]),
                        what,
                        str(len(group)),
                        f"{share(total - different, total)} relations equal",
                    ]
                )
        for result in results:
            if place(result) == where and "generated_seeds" in result:
                seeds = result["generated_seeds"]
                rows.append(
                    [_versions(result), "generated CSV files", "6", f"{share(seeds, seeds)} relations equal"]
                )
    return table(["where", "what", "comparisons", "result"], rows)


def _versions(result: Result) -> str:
    return (
        f"{NAMES[result['adapter']]}, dbt-core {result['dbt_version']}, adapter {result['adapter_version']}"
    )


def unequal(results: Iterable[Result]) -> str:
    """Every difference found, with both sides."""
    lines = []
    for result in results:
        for name, relation in result.get("relations", {}).items():
            for entry in relation["differences"]:
                where = f"{_versions(result)}, {result['project']} from {result['scope']}"
                lines.append(
                    f"- {where}: `{name}`, {entry['fact']}: built {entry['left']}; healed {entry['right']}"
                )
        lines += [f"- {_versions(result)}: not left behind: `{name}`" for name in result.get("lost", ())]
    return "\n".join(lines) or "None."


def page(results: Sequence[Result]) -> str:
    """The whole page."""
    adapters = [adapter for adapter in ADAPTERS if any(result["adapter"] == adapter for result in results)]
    allowed = [[f"`{rule.relation}`", ", ".join(rule.columns) or "all", rule.reason] for rule in IGNORES]
    return f"""<!-- Made by tests/fidelity/report.py from the results of the fidelity tests: do not edit. -->
# Healed equals built

A healed relation cannot be told from one that a plain `dbt build` makes. The test-bed (`tests/fidelity`)
holds every kind of node and naming trick there is. It is built once by dbt alone and healed in empty
databases, and every relation is compared from the database's own catalog.

```
scripts/test tests/fidelity          # the usual databases and versions: prints `N of N relations equal`
scripts/test --all tests/fidelity    # all of them, each leaf alone too
python tests/fidelity/report.py      # this page
```

## Results
{runs(results)}

## By kind of node
How many healed relations of a kind are equal to built ones: all leaves at once, and the projects beside.
The leaves, which dbt itself builds, are not counted.

{matrix(results, "kind", "kind")}

## By what a node has
{matrix(results, "feature", "healed relations with")}

## What is compared
{table(["database", "facts"], [[NAMES[adapter], COMPARED[adapter]] for adapter in adapters])}

## Differences found
{unequal(results)}

## Known differences
{table(["what", "reason"], KNOWN)}

Values that are not compared, since two plain builds do not have them in common either:

{table(["relation", "columns", "reason"], allowed)}

## What a hook does not build
It is refused before anything is built, with the `dbt build --select ...` that builds it: Python models,
microbatch models, a materialization that is not found, macros that ask `var.has_var()`, macros that use
both `config(...)` and `config.get(...)`, and a package's dispatch without a namespace where package and
project both implement it. The projects `refused` and `refused_1_10` of the test-bed run the command that
the refusal names, and compare what it builds.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the page; 1 if there are no results."""
    parser = argparse.ArgumentParser(
        description="Make docs/fidelity.md of the results of the fidelity tests."
    )
    parser.add_argument("--results", type=Path, default=ROOT / "target" / "fidelity")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "fidelity.md")
    options = parser.parse_args(argv)
    results = read(options.results)
    if not results:
        print(f"There are no results in {options.results}: run `scripts/test tests/fidelity` first.")
        return 1
    options.out.write_text(page(results))
    print(
        f"{options.out}: {len(results)} comparisons, {len(places(results))} pairs of database and dbt version"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
