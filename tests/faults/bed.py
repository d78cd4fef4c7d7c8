# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""The project whose initialization the faults are put into, on each database, and how it is looked at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import Snapshot, differences, snapshot
from faults.warm import WarmServer
from support import (
    HEALING,
    Database,
    DbtProject,
    DbtResult,
    DuckDbDatabase,
    Environment,
    PostgresDatabase,
    RunningDbt,
    SqliteDatabase,
)

LEAF = "leaf"
KEPT = ("kept_seed", "kept_table")
FILES = {
    "seeds/kept_seed.csv": "id,name\n1,as in the file\n",
    "seeds/countries.csv": "code,name,population,since\nCH,Switzerland,9.0,1291-08-01\nSM,San Marino,0.03,0301-09-03\n",
    "seeds/empty_seed.csv": "id,name\n",
    "models/kept_table.sql": "{{ config(materialized='table') }} select 1 as id, 'as built' as name",
    "models/stg_countries.sql": (
        "{{ config(materialized='view') }}\n"
        "select code, name, population from {{ ref('countries') }} where code <> (select 'x' from {{ ref('kept_seed') }} limit 1)"
    ),
    "models/eph.sql": "{{ config(materialized='ephemeral') }} select code, name from {{ ref('stg_countries') }}",
    "models/dim_countries.sql": (
        "{{ config(materialized='table', post_hook=\"insert into {{ this }} select 'XX', 'added by a hook'\") }}\n"
        "select e.code, e.name from {{ ref('eph') }} e, (select count(*) as n from {{ ref('kept_table') }}) k"
    ),
    "models/inc_population.sql": (
        "{{ config(materialized='incremental', unique_key='code', pre_hook='select 1') }}\n"
        "select code, population from {{ ref('stg_countries') }}"
    ),
    "models/elsewhere.sql": (
        "{{ config(materialized='table', schema='other', alias='aliased', pre_hook={'sql': 'select 1', 'transaction': false}) }}\n"
        "select code from {{ ref('dim_countries') }} union all select cast(name as varchar(20)) from {{ ref('empty_seed') }}"
    ),
    "snapshots/population_history.sql": (
        "{% snapshot population_history %}\n"
        "{{ config(target_schema=target.schema, unique_key='code', strategy='timestamp', updated_at='updated_at') }}\n"
        "select code, population, cast('2020-01-01' as timestamp) as updated_at from {{ ref('inc_population') }}\n"
        "{% endsnapshot %}\n"
    ),
    "models/leaf.sql": (
        "select h.code, d.name from {{ ref('population_history') }} h\n"
        "left join {{ ref('dim_countries') }} d on d.code = h.code left join {{ ref('elsewhere') }} e on e.code = h.code"
    ),
}
# What another environment has, with rows of its own.
PRODUCTION = (
    "create schema prod",
    "create table prod.countries (code varchar(5), name varchar(20), population float, since date)",
    "insert into prod.countries values ('XY', 'of production', 1, '2000-01-01')",
    "create view prod.stg_countries as select code, name, population from prod.countries",
)
SETTINGS = {"timeout_seconds": 600, "lock_timeout_seconds": 60}


@dataclass
class Fault:
    """One injected fault and what became of it."""

    kind: str
    at: int
    statement: str

    def __str__(self) -> str:
        return f"{self.kind} at statement {self.at} ({' '.join(self.statement.split())[:160]})"


class Bed:
    """The project on a database that can be put back to where it was before the initialization.

    Two relations exist at the start, with contents that no build makes; everything else is missing.

    Args:
        folder: Where the project is made.
        database: The database.
        environment: Where dbt is installed.
        more: More files of the project.
        settings: More settings of the package.
        arguments: What the command has besides `run -s leaf`.
        packages: Which of this repository's packages are installed.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        environment: Environment,
        *,
        more: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        arguments: Sequence[str] = (),
        packages: Sequence[str] = HEALING,
    ) -> None:
        self.database = database
        self.command = ("run", "-s", LEAF, *arguments)
        self._server = WarmServer(environment, folder / "project", self.command)
        files = {**FILES, **(more or {})}
        if database.adapter == "postgres":
            files["models/inc_population.sql"] = files["models/inc_population.sql"].replace(
                "unique_key", "indexes=[{'columns': ['code'], 'unique': true}], unique_key"
            )
        if database.adapter == "sqlite":
            hook = ", pre_hook={'sql': 'select 1', 'transaction': false}"  # `commit` is an error there when there is none
            files["models/elsewhere.sql"] = files["models/elsewhere.sql"].replace(hook, "")
            files["snapshots/population_history.sql"] = files["snapshots/population_history.sql"].replace(
                "cast('2020-01-01' as timestamp)", "'2020-01-01 00:00:00'"
            )
            files["macros/hash.sql"] = (  # in place of md5(), which SQLite has only with an extension
                "{% macro sqlite__snapshot_hash_arguments(args) %}{{ args | join(\" || '|' || \") }}{% endmacro %}\n"
            )
        variables = {"dbt_selfheal": {**SETTINGS, **(settings or {})}}
        config = {"vars": variables, "models": {"+materialized": "table"}}
        self.project = DbtProject(
            folder / "project", database, self._server, files=files, config=config, packages=packages
        )
        self.project.write_profile(threads=1)
        self._log = folder / "statements"
        self._start = folder / "start"
        self._make_start()

    def close(self) -> None:
        """Ends the server."""
        self._server.close()

    def _make_start(self) -> None:
        if isinstance(self.database, PostgresDatabase):
            self.database.execute(f"create schema {self.database.default_schema}")
        self.database.execute(
            "create table kept_seed (id integer, name varchar(20))",
            "insert into kept_seed values (1, 'as in the file'), (7, 'added by hand')",
            "create table kept_table (id integer, name varchar(20), extra integer)",
            "insert into kept_table values (2, 'made by hand', 3)",
        )
        if self.has_production:
            self.database.execute(*PRODUCTION)
        if not isinstance(self.database, PostgresDatabase):
            shutil.copytree(self._folder, self._start)
        self.kept = self.identities()

    @property
    def has_production(self) -> bool:
        """Whether the command has another environment to clone from, the schema `prod`."""
        return "--defer" in self.command

    @property
    def _folder(self) -> Path:
        if isinstance(self.database, DuckDbDatabase):
            return self.database.path.parent
        assert isinstance(self.database, SqliteDatabase)
        return self.database.folder

    def reset(self) -> None:
        """Puts the database back to its start; on PostgreSQL the two relations stay the same ones."""
        if isinstance(self.database, PostgresDatabase):
            schema = self.database.default_schema
            doomed = [
                name
                for name in self.database.relations()
                if name not in [f"{schema}.{kept}" for kept in KEPT] and not name.startswith("prod.")
            ]
            for name in doomed:
                if name in self.database.relations():
                    self.database.drop(name)
            self.database.execute(f"drop schema if exists {schema}_other cascade")
            return
        shutil.rmtree(self._folder)
        shutil.copytree(self._start, self._folder)

    def run(self, fault: dict[str, Any] | None = None, **options: Any) -> DbtResult:
        """Runs the leaf, with a fault if one is given."""
        env = {} if fault is None else {"FAULT": json.dumps({"log": str(self._log), **fault})}
        self._log.unlink(missing_ok=True)
        return self.project.dbt(*self.command, check=False, env=env, **options)

    def start(self) -> RunningDbt:
        """Starts the command and does not wait."""
        return self.project.start(*self.command)

    def statements(self) -> list[str]:
        """Returns the statements that the last run with a fault counted."""
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def facts(self) -> Snapshot:
        """Returns what the database's catalog tells of every relation."""
        return facts(self.database)

    def identities(self) -> dict[str, Any]:
        """Returns what must not change in the relations that existed: every row, and on PostgreSQL which rows they are."""
        hidden = {"postgres": "ctid, xmin::text, tableoid, ", "sqlite": "rowid, ", "duckdb": "rowid, "}
        found: dict[str, Any] = {}
        for name in KEPT:
            found[name] = self.database.query(f"select {hidden[self.database.adapter]}* from {name}")
            if isinstance(self.database, PostgresDatabase):
                found[name] += self.database.query(
                    f"select oid, relfilenode, relname from pg_class where oid = '{name}'::regclass"
                )
        return found

    def surprises(self, whole: Snapshot, *, complete: bool) -> list[str]:
        """Returns in what the database differs from an undisturbed one.

        Args:
            whole: The facts of an undisturbed one.
            complete: Whether everything must be there; else what is there must be whole, save for the command's own node.
        """
        found = self.facts()
        if not complete:
            found = {
                name: facts
                for name, facts in found.items()
                if not name.endswith((f".{LEAF}", f".{LEAF}__dbt_tmp"))
            }
        problems = [str(difference) for difference in differences(whole, found, partial=not complete)]
        kept = self.identities()
        if kept != self.kept:
            problems.append(f"what existed was touched: {self.kept} became {kept}")
        return problems


def facts(database: Database) -> Snapshot:
    """Returns what a database's catalog tells of every relation."""
    profile = database.profile()
    if isinstance(database, PostgresDatabase):
        return snapshot("postgres", {key: profile[key] for key in ("host", "port", "user", "dbname")})
    if isinstance(database, DuckDbDatabase):
        return snapshot("duckdb", {"path": profile["path"]})
    assert isinstance(database, SqliteDatabase)
    attached = {path.stem: str(path) for path in database.folder.glob("*.db") if path.stem != "main"}
    for schema in ("main", *attached):  # undoes what a killed writer left half done
        database.query(f'select count(*) from "{schema}".sqlite_master')
    return snapshot("sqlite", {"path": str(database.folder / "main.db"), "attach": attached})
