"""Projects of any size: chains, fans, layered graphs, seeds of many rows."""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 40
KINDS = ("table", "view", "incremental", "table")
# Times the plan alone, several times in one process, with everything missing.
TIME_PLAN = """
{% macro time_plan(select, times=5) %}
  {% for time in range(times) %}
    {% set started = modules.datetime.datetime.now() %}
    {% set plan = dbt_selfheal._current_plan(dbt_selfheal._settings(), select) %}
    {% set seconds = (modules.datetime.datetime.now() - started).total_seconds() %}
    {% do log(tojson({'event': 'plan', 'seconds': seconds, 'steps': plan.steps | length}), info=false) %}
  {% endfor %}
{% endmacro %}
"""


def graph(shape: str, nodes: int, ends: int) -> dict[str, list[str]]:
    """The parents of each model by its name; the last one is `leaf`.

    Args:
        shape: `chain` (each reads the one before), `fan` (the leaf reads all the others), or `layered`
            (layers of 40, each model reads two of the layer before).
        nodes: How many models.
        ends: How many of the last layer the leaf of a layered graph reads.
    """
    names = [f"m_{number:05}" for number in range(nodes - 1)]
    if shape == "chain":
        parents = {name: names[place - 1 : place] if place else [] for place, name in enumerate(names)}
        return {**parents, "leaf": names[-1:]}
    if shape == "fan":
        return {**{name: [] for name in names}, "leaf": names}
    found: dict[str, list[str]] = {}
    for place, name in enumerate(names):
        layer, column = divmod(place, WIDTH)
        before = names[(layer - 1) * WIDTH : layer * WIDTH] if layer else []
        found[name] = [before[column], before[(column + 1) % WIDTH]] if before else []
    return {**found, "leaf": names[-ends:]}


def models(shape: str, nodes: int, *, tables: bool = False, ends: int = WIDTH) -> dict[str, str]:
    """The files of such a graph, with tables, views and incremental models; every fourth is a view.

    Args:
        shape: As of `graph`.
        nodes: How many models.
        tables: Whether all are tables.
        ends: As of `graph`.
    """
    files = {}
    for place, (name, parents) in enumerate(graph(shape, nodes, ends).items()):
        # no view over a view over a view: what is compared is building, not the database's planner
        even = (place // WIDTH) % 2 == 0 or shape == "chain"
        kind = "table" if tables or even or name == "leaf" else KINDS[place % 4]
        code = "\nunion ".join(f"select id from {{{{ ref('{parent}') }}}}" for parent in parents)  # one row
        files[f"models/{name}.sql"] = f"{{{{ config(materialized='{kind}') }}}}\n{code or 'select 1 as id'}\n"
    return files


def make(
    folder: Path,
    files: Mapping[str, str],
    *,
    package: bool = True,
    heals: bool = False,
    output: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Path:
    """Makes a project.

    Args:
        folder: Where.
        files: Content by path.
        package: Whether the package is installed.
        heals: Whether so much is healed that the time limit must be raised.
        output: Of profiles.yml; by default the DuckDB file `warehouse.duckdb`.
        more: Keys of dbt_project.yml.

    Returns:
        The folder.
    """
    project = {
        "name": "bench",
        "version": "1.0.0",
        "profile": "bench",
        "vars": {"dbt_selfheal": {"timeout_seconds": 36000}} if heals else {},
        "flags": {"send_anonymous_usage_stats": False},
        **(more or {}),
    }
    output = output or {"type": "duckdb", "path": "warehouse.duckdb", "threads": 1}
    every = {
        "dbt_project.yml": yaml.safe_dump(project),
        "profiles.yml": yaml.safe_dump({"bench": {"target": "dev", "outputs": {"dev": dict(output)}}}),
        **files,
    }
    if package:
        every["packages.yml"] = yaml.safe_dump({"packages": [{"local": str(ROOT)}]})
    for path, content in every.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    if package:
        (folder / "dbt_packages").mkdir()
        (folder / "dbt_packages" / "dbt_selfheal").symlink_to(ROOT)
    return folder


def without_hook(folder: Path) -> None:
    """Puts a copy of the package, without its hook, into a project that has the package."""
    place = folder / "dbt_packages" / "dbt_selfheal"
    place.unlink()
    for name in ("macros", "models"):
        shutil.copytree(ROOT / name, place / name)
    content = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    del content["on-run-start"]
    (place / "dbt_project.yml").write_text(yaml.safe_dump(content))


def foundation() -> dict[str, str]:
    """The files of a small project: five seeds, six models over them, and a leaf."""
    head = "{{ config(materialized='table', tags=['foundation']) }}\n"
    files = {f"models/f{n}.sql": f"{head}select id, value from {{{{ ref('s{n}') }}}}" for n in range(5)}
    union = "\nunion all ".join(f"select * from {{{{ ref('f{n}') }}}}" for n in range(5))
    last = (
        "{{ config(materialized='table') }}\nselect id, sum(value) as total from {{ ref('f5') }} group by id"
    )
    for number in range(5):
        files[f"seeds/s{number}.csv"] = "id,value\n" + "".join(f"{n},{n * number}\n" for n in range(100))
    return {**files, "models/f5.sql": head + union, "models/leaf.sql": last}


def workforce(folder: Path) -> Path:
    """Copies the workforce workspace, and installs the package in it; returns the folder."""
    ignored = shutil.ignore_patterns(
        "dbt_packages", "dbt_utils", "target", "logs", "*.duckdb*", "package-lock.yml"
    )
    shutil.copytree(ROOT / "integration_tests", folder, ignore=ignored)
    both = {"dbt_selfheal": ROOT, "dbt_selfheal_database": ROOT / "database"}  # it has initial data
    listed = {"packages": [{"local": str(place)} for place in both.values()]}
    (folder / "packages.yml").write_text(yaml.safe_dump(listed))
    (folder / "dbt_packages").mkdir()
    for name, place in both.items():
        (folder / "dbt_packages" / name).symlink_to(place)
    return folder


def clear(folder: Path) -> None:
    """Deletes a project's DuckDB or SQLite file."""
    for path in folder.glob("warehouse.*"):
        path.unlink()


def pretend_built(folder: Path, files: Mapping[str, str]) -> None:
    """Puts a relation of the right kind into the DuckDB file for each model, without running dbt."""
    import duckdb

    clear(folder)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("begin")
        for path, code in files.items():
            if path.startswith("models/"):
                kind = "view" if "'view'" in code else "table"
                connection.execute(f'create {kind} "{Path(path).stem}" as select 1 as id')
        connection.execute("commit")


def write_seed(path: Path, rows: int, *, wide: bool) -> None:
    """Writes a CSV file of 4 or 20 columns: integers, decimals, texts, dates, date-times, booleans, nulls."""
    chance = random.Random(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = ["id", "name", "amount", "day"]
        if wide:
            names += [f"{kind}_{n}" for kind in ("count", "rate", "label", "moment") for n in range(4)]
        writer.writerow(names)
        writer.writerows(_rows(chance, rows, wide=wide))


def _rows(chance: random.Random, rows: int, *, wide: bool) -> Iterable[list[object]]:
    start = datetime(2000, 1, 1)  # noqa: DTZ001
    for number in range(rows):
        moment = start + timedelta(minutes=chance.randrange(10_000_000))
        row: list[object] = [
            number,
            f"person {chance.randrange(1_000_000)}",
            "" if number % 50 == 0 else f"{chance.random() * 1000:.2f}",
            moment.date(),
        ]
        if wide:
            row += [chance.randrange(1_000_000) for _ in range(4)]
            row += [round(chance.random(), 6) for _ in range(4)]
            row += [
                f'a "label", number {n}' if n == 3 else f"label {chance.randrange(999)}" for n in range(4)
            ]
            row += [moment + timedelta(hours=n) for n in range(3)] + [chance.choice(["true", "false"])]
        yield row
