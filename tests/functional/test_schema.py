"""validate_schema and repair_schema: what differs is named, what is missing added, data stays."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from functional.helpers import events
from support import DbtProject, DbtResult, PostgresDatabase, SqliteDatabase

Make = Callable[..., DbtProject]
pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.sqlite, pytest.mark.both_packages]
CONFIG = {"vars": {"dbt_selfheal": {"timeout_seconds": 300}}}
FILES = {
    "seeds/people.csv": "id,name,age\n1,Ada,36\n2,Grace,85\n",
    "models/persons.sql": (
        "{{ config(materialized='incremental', unique_key='id', on_schema_change='fail',\n"
        "   contract={'enforced': true},\n"
        "   indexes=[{'columns': ['name']}, {'columns': ['id', 'age'], 'unique': true}]) }}\n"
        "select id, cast(name as varchar(40)) as name, age from {{ ref('people') }}\n"
    ),
    "models/adults.sql": "select * from {{ ref('persons') }} where age > 17\n",
    "models/names.sql": "select name from {{ ref('adults') }}\n",
    "models/schema.yml": """
models:
  - name: persons
    constraints: [{type: primary_key, columns: [id]}, {type: check, expression: age > 0}]
    columns:
      - {name: id, data_type: int4, constraints: [{type: not_null}]}
      - {name: name, data_type: character varying(40), constraints: [{type: unique}]}
      - {name: age, data_type: INTEGER}
  - name: adults
    columns: [{name: id, data_type: integer}, {name: age, data_type: int}]
seeds:
  - name: people
    config: {column_types: {id: integer, name: varchar(40), age: integer}}
""",
}


@pytest.fixture
def project(make_project: Make) -> DbtProject:
    """A project that is built, with contract, keys and indexes."""
    made = make_project(FILES, config=CONFIG)
    made.dbt("run-operation", "ensure_initialized")
    return made


def validate(project: DbtProject, **options: Any) -> dict[str, Any]:
    """Returns the report of validate_schema."""
    (report,) = events(project.dbt("run-operation", "validate_schema", **options), "schema_validation")
    return report


def found(report: dict[str, Any]) -> set[tuple[str, str, str | None]]:
    """Returns severity, code and column of each issue."""
    return {(issue["severity"], issue["code"], issue["column"]) for issue in report["issues"]}


def repair(project: DbtProject, **args: Any) -> tuple[dict[str, Any], DbtResult]:
    """Returns the report of repair_schema, and the result."""
    result = project.dbt("run-operation", "repair_schema", args=args)
    (report,) = events(result, "schema_repair")
    return report, result


def repair_off(project: DbtProject) -> tuple[dict[str, Any], DbtResult]:
    """Returns what repair_schema with apply reports where the package is off."""
    result = project.dbt(
        "run-operation", "repair_schema", args={"apply": True}, vars={"dbt_selfheal": {"targets": ["prod"]}}
    )
    environment = {"DBT_SELFHEAL_ENABLED": "false"}
    project.dbt("run-operation", "repair_schema", args={"apply": True}, env=environment)
    (report,) = events(result, "schema_repair")
    return report, result


@contextmanager
def held_lock(project: DbtProject) -> Iterator[None]:
    """Holds the lock of healing."""
    if isinstance(project.database, PostgresDatabase):
        with project.database.server.connection(project.database.name) as other:
            other.cursor().execute("select pg_advisory_lock(hashtextextended('dbt_selfheal:analytics', 0))")
            yield
    elif isinstance(project.database, SqliteDatabase):
        with closing(
            sqlite3.connect(project.database.folder / "dbt_selfheal.lock", isolation_level=None)
        ) as other:
            other.execute("begin exclusive")
            yield


def test_what_dbt_has_built_is_valid_with_aliases_of_types(project: DbtProject, adapter_name: str) -> None:
    report = validate(project)
    if adapter_name == "sqlite":  # dbt makes no indexes there, which is said
        assert found(report) == {("warning", "missing_index", None)}
        repair(project, apply=True)
        report = validate(project)
    assert report["issues"] == []
    assert report["valid"] is True
    assert report["severity"] is None
    assert report["relations"] == 4


@pytest.mark.promise("Schema")
def test_everything_that_differs_is_named_with_a_severity_and_a_suggestion(
    project: DbtProject, adapter_name: str
) -> None:
    project.drop("names", "adults", "persons")
    project.execute(
        "create table persons (id bigint, name varchar(40), surplus date)",
        "create index by_surplus on persons (surplus)",
        "create table adults as select 1 as id",
        "alter table people add column extra integer",
        "alter table people drop column age",
    )
    result = project.dbt("run-operation", "validate_schema")
    (report,) = events(result, "schema_validation")
    of_contracts = {
        ("error", "wrong_type", "id"),
        ("error", "nullable", "id"),
        ("error", "missing_key", None),
        ("warning", "extra_column", "surplus"),
    }
    assert found(report) == {
        ("critical", "missing_relation", None),
        ("error", "wrong_kind", None),
        ("error", "missing_column", "age"),
        ("warning", "extra_column", "extra"),
        ("warning", "missing_index", None),
        ("info", "extra_index", None),
    } | (set() if adapter_name == "sqlite" else of_contracts)  # dbt enforces no contracts there
    assert report["valid"] is False
    assert report["severity"] == "critical"
    assert report["counts"]["critical"] == 1
    messages = " ".join(issue["message"] for issue in report["issues"])
    assert "it is a table, and the project makes a view" in messages
    if adapter_name != "sqlite":
        for part in ("no primary key (id)", "no unique (name)", "0 check constraints, and 1"):
            assert part in messages
    assert all(issue["suggestion"] for issue in report["issues"])
    for issue in report["issues"]:
        assert issue["message"] in result.output
        assert issue["suggestion"] in result.output
    fails = project.dbt_fails("run-operation", "validate_schema", args={"strict": True})
    assert "the schema is not as the project declares it: 1 critical" in fails.output


def test_strict_takes_what_is_valid_and_select_narrows_the_comparison(
    project: DbtProject, adapter_name: str
) -> None:
    project.execute("alter table people add column extra integer")
    report = validate(project, args={"select": ["persons", "adults"], "strict": adapter_name != "sqlite"})
    assert report["relations"] == 2
    assert ("warning", "extra_column", "extra") not in found(report)
    fails = project.dbt_fails("run-operation", "validate_schema", args={"select": "people", "strict": True})
    assert "1 warning" in fails.output
    for operation, entry in {"repair_schema": "peopel", "ensure_initialized": "tag:nope"}.items():
        fails = project.dbt_fails("run-operation", operation, args={"select": [entry]})
        assert f'the argument `select` names "{entry}"' in " ".join(fails.output.split())
        assert "required" not in fails.output
        assert "dbt_project.yml" not in fails.output


def test_types_are_compared_by_the_databases_own_names(make_project: Make, adapter_name: str) -> None:
    types = {
        "duckdb": {
            "a": ("int8", "bigint"), "b": ("text", "varchar"), "c": ("numeric(10, 2)", "decimal(10,2)"),
            "d": ("numeric", "decimal(10,2)"), "e": ("timestamptz", "timestamp with time zone"),
            "f": ("int[]", "integer[]"), "g": ("double precision", "double"),
            "h": ("decimal(10)", "decimal(10,0)"), "i": ("timestamp(3)", "timestamp_ms"),
            "j": ("mood", "mood"), "l": ("varchar(9)", "varchar"), "p": ("dec(10)", "decimal(10,0)"),
            "k": ('struct(a dec(5), "two words" mood[])[]', 'struct(a dec(5, 0), "two words" mood[])[]'),
            "m": ("map(text, int8 array)", "map(varchar, bigint[])"),
            "n": ("enum('p (1)', 'q')", "enum('p (1)', 'q')"), "o": ("main.amount", "decimal(9, 2)"),
        },
        "postgres": {
            "a": ("int8", "bigint"), "b": ("varchar", "character varying(9)"),
            "c": ("decimal(10, 2)", "numeric(10,2)"), "d": ("numeric", "numeric(10,2)"),
            "e": ("timestamptz", "timestamp with time zone"),
            "f": ("int[]", "integer[]"), "g": ("float8", "double precision"),
            "h": ("numeric(10)", "numeric(10,0)"), "i": ("timestamp(3)", "timestamp(3) without time zone"),
            "j": ("mood", "public.mood"), "k": ("float(53)", "double precision"),
            "l": ("varchar(20)[]", "varchar(20)[]"), "m": ("char", "char(3)"),
            "n": ("mood[]", "public.mood[]"), "o": ("public.amount", "public.amount"),
        },
        "sqlite": {"a": ("bigint", "int"), "b": ("text", "varchar(9)"), "c": ("decimal(10,2)", "numeric")},
    }[adapter_name]  # fmt: skip
    wrong = {"x": ("integer", "text"), "y": ("varchar", "integer")}
    unknown: dict[str, tuple[str, str]] = {}
    if adapter_name != "sqlite":
        wrong["z"] = ("numeric(10,2)", "numeric(12,2)")
        wrong["z2"] = ("varchar(3)[]" if adapter_name == "postgres" else "mood", "integer[]")
        for no_type in (
            "foo", "foo[]", "foo(3)", "struct(a foo)", "numeric(10000)", "numeric(2, ", "it's",
            "integer); drop table t; select (1", "foo.integer", "integer(3)", "map(integer)",
        ):  # fmt: skip
            unknown[f"u{len(unknown)}"] = (no_type, "integer")
    columns = {**types, **wrong, **unknown}
    described = [{"name": name, "data_type": declared} for name, (declared, _) in columns.items()]
    project = make_project(
        {
            "models/t.sql": "{{ config(materialized='incremental') }} select 1 as a",
            "models/schema.yml": json.dumps({"models": [{"name": "t", "columns": described}]}),
        }
    )
    project.dbt("run")
    project.drop("t")
    if adapter_name != "sqlite":
        schema, kind = {"duckdb": ("main", "type"), "postgres": ("public", "domain")}[adapter_name]
        project.execute(
            f"create type {schema}.mood as enum ('calm', 'wild')",
            f"create {kind} {schema}.amount as decimal(9, 2)",
        )
    project.execute(
        "create table t (" + ", ".join(f"{name} {real}" for name, (_, real) in columns.items()) + ")"
    )
    report = validate(project)
    assert found(report) == (
        {("warning", "wrong_type", name) for name in wrong}
        | {("error", "unknown_type", name) for name in unknown}
    )


@pytest.mark.promise("Schema")
def test_repair_adds_what_is_missing_and_touches_no_data(project: DbtProject, adapter_name: str) -> None:
    project.drop("names", "adults", "persons")
    project.execute(
        "create table persons (id bigint, surplus integer)",
        "insert into persons values (1, 7), (2, 8)",
        "alter table people add column extra integer",
    )
    before = {name: project.rows(name) for name in ("persons", "people")}
    dry, result = repair(project)
    assert dry["applied"] is False
    assert "dry run: nothing is done" in result.output
    assert {action["action"] for action in dry["actions"]} == {"add column", "create index", "create view"}
    assert project.names() == {"people", "persons"}
    assert [name for name, _ in project.columns("persons")] == ["id", "surplus"]

    done, _ = repair(project, apply=True)
    for report in (dry, done):  # dbt puts the time into the names of indexes
        report["actions"] = [(each["action"], each["relation"], each["detail"]) for each in report["actions"]]
    assert done["actions"] == dry["actions"]
    assert project.names() == {"people", "persons", "adults", "names"}
    assert [name for name, _ in project.columns("persons")] == ["id", "surplus", "name", "age"]
    assert sorted(tuple(row[:2]) for row in project.rows("persons")) == before["persons"]
    assert all(row[2:] == (None, None) for row in map(tuple, project.rows("persons")))
    assert project.rows("people") == before["people"]

    left, result = repair(project, apply=True)
    assert left["actions"] == []
    codes = {issue["code"] for issue in left["left"]}
    assert "extra_column" in codes
    if adapter_name != "sqlite":
        assert {"wrong_type", "missing_key", "nullable"} <= codes
        assert "dbt run --full-refresh --select persons" in result.output
    assert "dbt seed --full-refresh --select people" in result.output
    assert not any(issue["code"] == "missing_index" for issue in validate(project)["issues"])


def test_an_index_over_more_than_plain_columns_is_not_compared_and_made_but_once(
    project: DbtProject, adapter_name: str
) -> None:
    wanted = "{'columns': ['lower(name)']}, {'columns': ['age desc']}, {'columns': ['Age', '\"id\"']}"
    config = "config(materialized='incremental', indexes=[" + wanted + "])"
    project.write({"models/notes.sql": "{{ " + config + " }} select * from {{ ref('people') }}"})
    project.dbt("run", "--select", "notes")
    notes = {"select": ["notes"], "apply": True}
    made, _ = repair(project, **notes)
    assert [action["detail"] for action in made["actions"]] == (
        ['(Age, "id")'] if adapter_name == "sqlite" else []  # dbt makes no indexes there
    )
    again, _ = repair(project, **notes)
    assert (again["actions"], again["left"]) == ([], [])
    report = validate(project, args={"select": ["notes"], "strict": True})
    assert found(report) == {("info", "index_not_compared", None)}
    assert [issue["message"].split(" is not")[0] for issue in report["issues"]] == [
        "its declared index (lower(name))", "its declared index (age desc)",
    ]  # fmt: skip

    project.execute(
        "create index by_upper on people (upper(name))", "create index by_id on people (id, name)"
    )
    (upper, plain) = sorted(
        validate(project, args={"select": "people"})["issues"], key=lambda issue: -len(issue["message"])
    )
    assert "by_upper (not over plain columns)" in upper["message"]
    assert "by_id (id, name)" in plain["message"]


def test_what_a_missing_table_holds_up_is_left(project: DbtProject) -> None:
    project.drop("names", "adults", "persons")
    report, result = repair(project, apply=True)
    assert report["actions"] == []
    assert {issue["code"] for issue in report["left"]} == {"missing_relation"}
    assert "dbt run-operation ensure_initialized --args '{select: [persons]}'" in result.output
    assert project.names() == {"people"}


def test_a_unique_index_over_duplicates_is_left_and_said(project: DbtProject) -> None:
    project.drop("names", "adults", "persons")
    project.execute(
        "create table persons (id integer, name varchar(40), age integer)",
        "insert into persons values (1, 'a', 1), (1, 'b', 1), (2, null, null), (2, null, null)",
    )
    report, result = repair(project, apply=True)
    assert [action["detail"] for action in report["actions"] if action["action"] == "create index"] == [
        "(name)"
    ]
    assert "1 of its values are there more than once" in result.output
    assert len(project.rows("persons")) == 4


def test_nothing_is_written_by_looking(project: DbtProject) -> None:
    project.drop("names", "adults")
    before = project.names()
    validate(project)
    repair(project)
    assert project.names() == before


def test_columns_of_any_name_are_added_as_dbt_would_name_them(make_project: Make, adapter_name: str) -> None:
    names = {"order": None, "two words": None, 'a "b"': None, "Plain": None, "Cased": True, "GrÖße": None}
    columns = [{"name": name, "data_type": "integer", "quote": quote} for name, quote in names.items()]
    project = make_project(
        {
            "models/t.sql": "{{ config(materialized='incremental') }} select 1 as id",
            "models/schema.yml": json.dumps({"models": [{"name": "t", "columns": columns}]}),
        }
    )
    project.dbt("run")
    off, result = repair_off(project)
    assert (off["applied"], off["enabled"], len(off["actions"])) == (False, False, 6)
    assert "off in this target or by setting; nothing was done" in result.output
    assert "Do it with" not in result.output
    assert [name for name, _ in project.columns("t")] == ["id"]

    repair(project, apply=True)
    plain = ["plain", "Cased", "grÖße"] if adapter_name == "postgres" else ["Plain", "Cased", "GrÖße"]
    assert [name for name, _ in project.columns("t")] == ["id", "order", "two words", 'a "b"', *plain]
    assert validate(project)["issues"] == []
    again, _ = repair(project, apply=True)
    assert again["actions"] == []


def test_what_another_run_has_repaired_meanwhile_is_not_done_again(
    project: DbtProject, adapter_name: str
) -> None:
    if adapter_name == "duckdb":
        pytest.skip("one process has the file at a time")
    project.drop("names", "adults", "persons")
    project.execute("create table persons (id integer, name varchar(40))")
    with held_lock(project):
        running = project.start("run-operation", "repair_schema", args={"apply": True})
        running.wait_for("initialization_step_started")
        time.sleep(1)
        project.execute(
            "alter table persons add column age integer",
            "create index by_name on persons (name)",
            "create unique index by_both on persons (id, age)",
            "create view adults as select * from persons where age > 17",
            "create view names as select name from adults",
        )
        assert running.is_running
    result = running.wait()
    (report,) = events(result, "schema_repair")
    assert report["actions"] == []
    assert "Schema repair: 0 done" in result.output
    assert not any(issue["severity"] == "info" for issue in validate(project)["issues"])
