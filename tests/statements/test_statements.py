"""Warehouses that no test can have: which statements healing sends there, beside those of dbt itself.

The adapter is real, its connection only records (recorder.py). What is in the warehouse is a list.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ROOT

RECORDER = Path(__file__).with_name("recorder.py")
OUTPUTS: dict[str, dict[str, Any]] = {
    "bigquery": {"method": "oauth", "project": "wh", "dataset": "dev"},
    "databricks": {"host": "nowhere", "http_path": "x", "token": "x", "catalog": "wh", "schema": "dev"},
    "snowflake": {
        "account": "x",
        "user": "x",
        "password": "x",
        "database": "wh",
        "warehouse": "w",
        "schema": "dev",
    },
    "trino": {"method": "none", "host": "nowhere", "port": 1, "user": "x", "database": "wh", "schema": "dev"},
}
ZERO_COPY = {"bigquery", "databricks", "snowflake"}  # where dbt clones a table without copying it
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
SKIPPED = re.compile(
    r"select 1$|select 1 as x$|commit$|rollback$|begin$|.*\bas i, 1\.5 as n|<<create_schema", re.IGNORECASE
)
Catalog = list[dict[str, str]]


@dataclass
class Warehouse:
    """A project for one adapter, in a folder.

    Args:
        adapter: The adapter.
        folder: Where the project is.
        there: What is in the warehouse.
    """

    adapter: str
    folder: Path
    there: Catalog = field(default_factory=list)

    @property
    def python(self) -> Path:
        """The interpreter of the adapter's environment."""
        return ROOT / ".venv" / self.adapter / "bin" / "python"

    def write(self, settings: Mapping[str, Any] | None = None) -> None:
        """Writes the project."""
        output = {"type": self.adapter, "threads": 1, **OUTPUTS[self.adapter]}
        schema = "dataset" if self.adapter == "bigquery" else "schema"
        targets = {"dev": output, "prod": {**output, schema: "prod"}}
        config = {"vars": {"who": "me", "dbt_selfheal": dict(settings or {})}}
        text = "string" if self.adapter in {"bigquery", "databricks"} else "varchar"
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
        fold = str.upper if self.adapter == "snowflake" else str
        self.there += [
            {"database": fold("wh"), "schema": fold(schema), "identifier": fold(name), "type": kind}
            for name in names
        ]

    def dbt(self, *arguments: str, healing: bool = True) -> list[tuple[str, str]]:
        """Runs dbt and returns what it sent: name of the connection and statement."""
        (self.folder / "catalog.json").write_text(json.dumps(self.there))
        done = subprocess.run(
            [self.python, RECORDER, self.adapter, "catalog.json", "out.json", "--no-use-colors", *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "DBT_SELFHEAL_ENABLED": str(healing).lower(),
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [(name, _plain(sql)) for name, sql in json.loads((self.folder / "out.json").read_text())]


def _plain(sql: str) -> str:
    """Returns a statement without comments, line ends and what differs from run to run."""
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


@pytest.fixture(params=OUTPUTS)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """A project for each adapter, whose environment is made if it is not there."""
    made = Warehouse(request.param, tmp_path)
    subprocess.run([sys.executable, str(ROOT / "scripts" / "environments"), request.param], check=True)
    return made


def test_healing_sends_what_dbt_sends_for_each_node(warehouse: Warehouse) -> None:
    warehouse.write()
    built = by_node(warehouse.dbt("build", healing=False))
    healed = by_healing(warehouse.dbt("run", "-s", "leaf"))
    assert set(healed) == {"raw", "staged", "wide", "grown"}
    for name, statements in healed.items():
        assert statements == built[name], name


def test_nothing_that_exists_is_touched(warehouse: Warehouse) -> None:
    """Each of these answers the question what is there in its own way; a wrong answer would rebuild it."""
    warehouse.write()
    warehouse.has("raw", "wide")
    warehouse.has("staged", kind="view")
    assert set(by_healing(warehouse.dbt("run", "-s", "leaf"))) == {"grown"}
    warehouse.has("grown")
    assert by_healing(warehouse.dbt("run", "-s", "leaf")) == {}


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
    assert ("clone" in statement) is (warehouse.adapter in ZERO_COPY)
