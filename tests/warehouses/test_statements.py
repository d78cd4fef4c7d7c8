# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Warehouses that no test can have: which statements healing sends there, beside those of dbt itself.

The adapter is real, its connection only records (recorder.py). What is in the warehouse is a list.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ROOT, DbtServer, Environment

from warehouses.results import keep

RECORDER = Path(__file__).with_name("recorder.py")
BEDS: dict[str, dict[str, Any]] = {
    path.stem: bed
    for path in sorted(RECORDER.with_name("beds").glob("*.json"))
    if "profile" in (bed := json.loads(path.read_text()))
}
FILES = {
    "seeds/raw.csv": (
        "id,day,moment,flag,code,name\n"
        "1,2024-01-01,2024-01-01 10:00:00,true,007,it's\n"
        '2,,,false,010,"a, b"\n'
    ),
    "models/thin.sql": "{{ config(materialized='ephemeral') }} select id, name from {{ ref('raw') }}",
    "models/staged.sql": (
        "{{ config(materialized='view') }} select id, '{{ var(\"who\") }}' as who from {{ ref('thin') }}"
    ),
    "models/wide.sql": (
        "{{ config(materialized='table', post_hook='select 1 as posted') }} select * from {{ ref('staged') }}"
    ),
    "models/grown.sql": (
        "{{ config(materialized='incremental', unique_key='id') }} select id from {{ ref('wide') }}"
        "{% if is_incremental() %} where id > 1{% endif %}"
    ),
    "models/leaf.sql": "{{ config(materialized='table') }} select * from {{ ref('grown') }}",
}
# What is not about a node: what makes ready, and what asks what is there.
LISTED = r"<<list |show objects in |.*information_schema[`\".]*tables"
SKIPPED = re.compile(
    r"select 1$|select 1 as x$|commit$|rollback$|begin$|.*\bas i, 1\.5 as n|<<create_schema|alter table (\S+) rename to \1$|"
    + LISTED,
    re.IGNORECASE,
)
Catalog = list[dict[str, str]]


@dataclass
class Warehouse:
    """A project for one adapter, in a folder.

    Args:
        adapter: The adapter.
        folder: Where the project is.
        server: What runs dbt.
        there: What is in the warehouse.
    """

    adapter: str
    folder: Path
    server: DbtServer
    there: Catalog = field(default_factory=list)
    count: int = 0

    def write(self, settings: Mapping[str, Any] | None = None) -> None:
        """Writes the project."""
        bed = BEDS[self.adapter]
        output = {"type": self.adapter, "threads": 1, **bed["profile"]}
        schema = bed.get("schema_key", "schema")
        targets = {"dev": output, "prod": {**output, schema: "prod"}}
        config = {"vars": {"who": "me", "dbt_selfheal": dict(settings or {})}}
        text = bed.get("text", "varchar")
        files = {
            **FILES,
            "seeds/raw.yml": f"seeds: [{{name: raw, config: {{column_types: {{code: {text}}}}}}}]\n",
            "dbt_project.yml": yaml.safe_dump(
                {"name": "shop", "version": "1.0", "profile": "shop", **config}
            ),
            "profiles.yml": yaml.safe_dump({"shop": {"target": "dev", "outputs": targets}}),
            "packages.yml": yaml.safe_dump({"packages": [{"local": str(ROOT)}]}),
        }
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (self.folder / "dbt_packages").mkdir()
        (self.folder / "dbt_packages" / "dbt_selfheal").symlink_to(ROOT)

    def has(self, *names: str, schema: str = "dev", kind: str = "table") -> None:
        """Puts relations into the warehouse."""
        fold = str.upper if BEDS[self.adapter].get("folds_to_upper") else str
        database = BEDS[self.adapter]["profile"].get("database", "wh")
        self.there += [
            {"database": fold(database), "schema": fold(schema), "identifier": fold(name), "type": kind}
            for name in names
        ]

    def dbt(self, *arguments: str, healing: bool = True) -> list[tuple[str, str]]:
        """Runs dbt and returns what it sent: name of the connection and statement."""
        code, output = self.run(*arguments, healing=healing)
        assert code == 0, output
        return [(name, _plain(sql)) for name, sql in json.loads((self.folder / "out.json").read_text())]

    def run(self, *arguments: str, healing: bool = True) -> tuple[int, str]:
        """Runs dbt and returns its exit code and output."""
        (self.folder / "catalog.json").write_text(json.dumps(self.there))
        self.count += 1
        output = self.folder / f"output-{self.count}"
        process = self.server.start(
            [self.adapter, "catalog.json", "out.json", "--no-use-colors", *arguments],
            folder=self.folder,
            variables={**self.server.environment.variables(), "DBT_SELFHEAL_ENABLED": str(healing).lower()},
            stdout=output,
            stderr=output,
            script=RECORDER,
        )
        return process.wait(240), output.read_text()


def _plain(sql: str) -> str:
    """Returns a statement without comments, line ends, a seed's working name, and what differs from run to run."""
    sql = re.sub(r"(?i)__dbt_selfheal_[0-9a-f]{8}", "", sql)
    text = re.sub(r"\s+", " ", re.sub(r"(?s)/\*.*?\*/", "", sql)).strip()
    return re.sub(r"\d{6,}|dbt_tmp\w*|[0-9a-f]{8}[-_][0-9a-f_-]{20,}", "N", text)


def by_node(sent: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Returns the statements of dbt's own nodes."""
    found: dict[str, list[str]] = {}
    for name, sql in sent:
        if re.match(r"(model|seed|snapshot)\.", name or "") and not SKIPPED.match(sql):
            found.setdefault(name.split(".")[-1], []).append(sql)
    return found


def by_healing(sent: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Returns the statements of the hook by what they made: a node's end with its relation in dbt's cache."""
    found: dict[str, list[str]] = {}
    pending: list[str] = []
    for name, sql in sent:
        if name == "CACHE":
            made = re.sub(r'[`"]', "", sql).split(".")[-1].lower()
            found.setdefault(made, []).extend(pending)
            pending = []
        elif not re.match(r"(model|seed|snapshot)\.", name or "") and not SKIPPED.match(sql):
            pending.append(sql)
    return {name: statements for name, statements in found.items() if statements}


@pytest.fixture(scope="module", params=BEDS)
def recording_server(request: pytest.FixtureRequest) -> Iterator[DbtServer]:
    """A fork server for each adapter, whose environment is made if it is not there."""
    subprocess.run([sys.executable, str(ROOT / "scripts" / "environments"), request.param], check=True)
    server = DbtServer(Environment(request.param))
    yield server
    server.close()


@pytest.fixture
def warehouse(recording_server: DbtServer, tmp_path: Path) -> Warehouse:
    """A project for the adapter."""
    return Warehouse(recording_server.environment.name, tmp_path, recording_server)


def test_healing_sends_what_dbt_sends_for_each_node(warehouse: Warehouse) -> None:
    warehouse.write()
    built = by_node(warehouse.dbt("build", healing=False))
    healed = by_healing(warehouse.dbt("run", "-s", "leaf"))
    assert set(healed) == {"raw", "staged", "wide", "grown"}
    for name, statements in healed.items():
        assert statements == built[name], name
    keep(warehouse.server.environment, "statements", f"{len(healed)} of {len(healed)} nodes")


def test_nothing_that_exists_is_touched(warehouse: Warehouse) -> None:
    """Each of these answers the question what is there in its own way; a wrong answer would rebuild it."""
    warehouse.write()
    warehouse.has("raw", "wide")
    warehouse.has("staged", kind="view")
    assert set(by_healing(warehouse.dbt("run", "-s", "leaf"))) == {"grown"}
    warehouse.has("grown")
    assert by_healing(warehouse.dbt("run", "-s", "leaf")) == {}
    keep(warehouse.server.environment, "untouched", "")


def test_what_was_built_is_looked_for_in_the_warehouse(warehouse: Warehouse) -> None:
    """By the adapter's own listing, after the last node. Here it never finds what was built: an error where that was declared required."""
    warehouse.write({"required": ["wide"]})
    warehouse.has("raw")
    warehouse.has("staged", kind="view")
    code, output = warehouse.run("run", "-s", "leaf")
    assert code != 0
    text = " ".join(output.split())
    assert "declared required and built without an error, and yet not in the database: wide" in text
    sent = json.loads((warehouse.folder / "out.json").read_text())
    built = [place for place, (name, _) in enumerate(sent) if name == "CACHE"]
    asked = [place for place, (_, sql) in enumerate(sent) if re.match(LISTED, _plain(sql), re.IGNORECASE)]
    assert built
    assert max(asked) > max(built)
    keep(warehouse.server.environment, "verified", "")


def test_a_clone_is_made_as_by_dbt_clone(warehouse: Warehouse) -> None:
    """Without copying where the warehouse can do that, else as a view."""
    warehouse.write({"on_missing": "clone"})
    warehouse.dbt("parse", "--target", "prod", "--target-path", "state")
    warehouse.has("grown", schema="prod")
    defer = ("--defer", "--state", "state")
    healed = by_healing(warehouse.dbt("run", "-s", "leaf", *defer))
    assert set(healed) == {"grown"}
    cloned = by_node(warehouse.dbt("clone", "-s", "grown", "--state", "state", healing=False))
    assert healed["grown"] == cloned["grown"]
    statement = " ".join(healed["grown"]).lower()
    assert ("clone" in statement) is BEDS[warehouse.adapter].get("zero_copy", False)
    keep(warehouse.server.environment, "cloned", "")
