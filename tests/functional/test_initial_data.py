# ruff: noqa: E501 - SQL and Jinja in one line
"""Initial data: rows that must exist are inserted where their key is absent; what people have edited stays; no secret leaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import DbtProject, DbtResult

Make = Callable[..., DbtProject]
pytestmark = pytest.mark.both_packages

HASH = "$argon2id$v=19$m=65536,t=3,p=1$cGxhbnRlZFNhbHRWYWx1ZQ$UGxhbnRlZEhhc2hWYWx1ZU9mVGhlRmlyc3RBZG1pbg"
PLAIN = "PlantedPlainTextPassword"
MAIL = "planted.secret@example.com"

SEEDS = {
    "seeds/roles.csv": "code,title,rank\nadmin,Administrator,1\neditor,Editor,2\nreader,Reader,3\n",
    "seeds/assignments.csv": "username,role,since\nadmin,admin,2026-01-31\nadmin,reader,2026-02-01\n",
    "seeds/schema.yml": """
version: 2
seeds:
  - name: roles
    config: {meta: {selfheal: {load: insert_missing, key: [code]}}}
  - name: assignments
    config:
      meta: {selfheal: {load: insert_missing, key: [username, role]}}
""",
}
USERS = "create table {{ target.schema }}.users (username varchar(50) not null, email varchar(100) unique, password_hash varchar(200), level integer not null)"
MIGRATION = {"macros/m.sql": f"{{% macro migration__1__users() %}}{USERS}{{% endmacro %}}"}
ADMIN: dict[str, Any] = {
    "table": "users",
    "key": ["username"],
    "password_columns": ["password_hash"],
    "rows": [
        {"username": "admin", "email": "env:ADMIN_MAIL", "password_hash": "env:ADMIN_HASH", "level": 9},
        {"username": "guest", "level": 1},
    ],
}
SECRETS = {"ADMIN_HASH": HASH, "ADMIN_MAIL": MAIL}
DISPATCH = [{"macro_namespace": "dbt", "search_order": ["shop", "dbt_selfheal_database", "dbt"]}]


def settings(*entries: dict[str, Any], **others: Any) -> dict[str, Any]:
    """Returns the configuration of a project with these entries of initial_data."""
    return {"vars": {"dbt_selfheal": {"initial_data": list(entries), **others}}}


def load(project: DbtProject, *, fails: bool = False, **options: Any) -> DbtResult:
    """Runs seed_initial_data, which must succeed, or fail."""
    return (project.dbt_fails if fails else project.dbt)("run-operation", "seed_initial_data", **options)


def reports(result: DbtResult) -> dict[str, tuple[int, int, int]]:
    """Returns how many rows were created, were there, and wait, by the name of the table."""
    return {
        event["table"].split(".")[-1]: (event["created"], event["skipped"], event["waiting"])
        for event in result.healing_events
        if event["event"] == "initial_data_loaded"
    }


def without_healing(project: DbtProject, *arguments: str) -> None:
    """Runs dbt with the package switched off."""
    project.dbt(*arguments, env={"DBT_SELFHEAL_ENABLED": "false"})


def users(project: DbtProject) -> DbtProject:
    """Applies the migration that makes the table users."""
    project.dbt("run-operation", "run_migrations")
    return project


@pytest.mark.promise("Initial data")
def test_loaded_twice_with_an_edit_in_between_the_edit_stays_and_nothing_is_doubled(
    make_project: Make,
) -> None:
    project = make_project(SEEDS)
    without_healing(project, "seed")
    project.execute(
        "delete from roles where code = 'reader'", "update roles set title = 'Boss' where code = 'admin'"
    )
    first = load(project)
    assert reports(first) == {"roles": (1, 2, 0), "assignments": (0, 2, 0)}
    assert "1 created, 2 there before" in first.output
    assert project.rows("roles") == [("admin", "Boss", 1), ("editor", "Editor", 2), ("reader", "Reader", 3)]
    project.execute(
        "update roles set title = 'Lector', rank = 7 where code = 'reader'",
        "insert into roles values ('own', 'Own', 8)",
    )
    assert reports(load(project)) == {"roles": (0, 3, 0), "assignments": (0, 2, 0)}
    assert project.rows("roles") == [
        ("admin", "Boss", 1),
        ("editor", "Editor", 2),
        ("own", "Own", 8),
        ("reader", "Lector", 7),
    ]


def test_a_key_of_several_columns_counts_as_a_whole(make_project: Make) -> None:
    project = make_project(SEEDS)
    without_healing(project, "seed")
    project.execute("delete from assignments where role = 'reader'")
    assert reports(load(project))["assignments"] == (1, 1, 0)
    assert [row[:2] for row in project.rows("assignments")] == [("admin", "admin"), ("admin", "reader")]
    assert {str(row[2])[:10] for row in project.rows("assignments")} == {"2026-01-31", "2026-02-01"}


def test_values_of_all_kinds_arrive_as_they_are(make_project: Make) -> None:
    rows = [
        {"id": 1, "name": "it's; %s ? {x}", "part": 1.5, "flag": True, "day": "2026-01-31"},
        {"id": 2, "name": None, "part": -3, "flag": False, "day": None},
        {"ID": 3},
    ]
    project = make_project(
        {"macros/m.sql": "{% macro migration__1__t() %}create table {{ target.schema }}.things (id integer, name varchar(50) default 'none', part double precision, flag boolean, day date){% endmacro %}"},
        config=settings({"table": "things", "key": "id", "rows": rows[:2]}, {"table": "things", "key": ["ID"], "rows": rows[2:]}),
    )  # fmt: skip
    load(users(project))
    [first, second, third] = project.rows("things")
    assert (*first[:3], bool(first[3]), str(first[4])) == (1, "it's; %s ? {x}", 1.5, True, "2026-01-31")
    assert (second[0], second[1], second[2], bool(second[3]), second[4]) == (2, None, -3, False, None)
    assert third[:2] == (3, "none")
    assert [
        report["created"]
        for report in load(project).healing_events
        if report["event"] == "initial_data_loaded"
    ] == [0, 0]


def test_keys_are_compared_as_their_columns_have_them(make_project: Make) -> None:
    """YAML has 1, 1.0 and "1", and 5 among codes; a column has one kind."""
    project = users(make_project(MIGRATION))

    def entries(key: str, *rows: tuple[Any, Any]) -> dict[str, Any]:
        made = [{"username": name, "level": level} for name, level in rows]
        return {"dbt_selfheal": {"initial_data": [{"table": "users", "key": [key], "rows": made}]}}

    result = load(project, fails=True, vars=entries("level", ("a", 1), ("b", 1.0)))
    assert "rows 1 and 2 have the same key (level=1)" in result.output
    result = load(project, fails=True, vars=entries("username", ("a", 1), (5, 2), ("5", 3)))
    assert "rows 2 and 3 have the same key (username=5)" in result.output
    assert reports(load(project, vars=entries("USERNAME", ("a", 1), (5, 2)))) == {"users": (2, 0, 0)}
    assert reports(load(project, vars=entries("username", ("a", 8), ("5", 8), (6, "3")))) == {
        "users": (1, 2, 0)
    }
    assert reports(load(project, vars=entries("Level", ("x", 1.0), ("x", "2"), ("x", 3)))) == {
        "users": (0, 3, 0)
    }
    assert [(row[0], row[3]) for row in project.rows("users")] == [("5", 2), ("6", 3), ("a", 1)]


def test_the_first_administrator_is_made_from_the_environment(make_project: Make) -> None:
    project = users(make_project(MIGRATION, config=settings(ADMIN)))
    assert reports(load(project, env=SECRETS)) == {"users": (2, 0, 0)}
    assert project.rows("users") == [("admin", MAIL, HASH, 9), ("guest", None, None, 1)]
    project.execute("update users set password_hash = 'changed by its owner'")
    assert reports(load(project, env=SECRETS)) == {"users": (0, 2, 0)}
    assert reports(load(project)) == {"users": (0, 2, 0)}, "an administrator that is there needs no variable"
    assert [row[2] for row in project.rows("users")] == ["changed by its owner"] * 2


def test_without_the_variable_there_is_no_administrator_and_the_output_says_how_to_make_one(
    make_project: Make,
) -> None:
    project = users(make_project(MIGRATION, config=settings(ADMIN)))
    result = load(project, env={"ADMIN_MAIL": MAIL})
    assert reports(result) == {"users": (1, 0, 1)}
    assert project.rows("users") == [("guest", None, None, 1)]
    assert "username=admin" in result.output
    assert "the environment variable ADMIN_HASH is not set" in result.output
    assert "dbt-selfheal hash-password" in result.output
    assert "no default password" in result.output
    assert reports(load(project, env={"ADMIN_MAIL": MAIL, "ADMIN_HASH": ""})) == {"users": (0, 1, 1)}


def leaks(project: DbtProject, *needles: str) -> list[str]:
    """Returns the files under the project, except its own, that hold one of the texts."""
    found = []
    for path in Path(project.folder).rglob("*"):
        if path.is_file() and not path.is_symlink() and "dbt_packages" not in path.parts:
            content = path.read_bytes()
            found += [
                f"{needle} in {path.relative_to(project.folder)}"
                for needle in needles
                if needle.encode() in content
            ]
    return found


PARTS = (HASH, HASH.split("$")[-1], HASH.split("$")[-2], MAIL, PLAIN)


def test_secrets_are_in_no_log_event_or_artifact(make_project: Make) -> None:
    by_mail = {
        "table": "users",
        "key": ["Email"],
        "rows": [{"email": "env:OTHER", "username": "x", "level": 2}],
    }
    project = users(
        make_project({"models/a.sql": "select 1 as id", **MIGRATION}, config=settings(ADMIN, by_mail))
    )
    other = f"other.{MAIL}"
    debug = {**SECRETS, "OTHER": other, "DBT_LOG_LEVEL": "debug", "DBT_LOG_CACHE_EVENTS": "true"}
    project.dbt("build", env=debug)
    assert project.rows("users") == [
        ("admin", MAIL, HASH, 9),
        ("guest", None, None, 1),
        ("x", other, None, 2),
    ]
    load(project, env=debug)
    project.dbt("run-operation", "seed_initial_data", "--args", "{dry_run: true}", env=debug)
    project.dbt("run", env=debug)
    project.dbt("parse", "--no-partial-parse", env=debug)
    assert leaks(project, *PARTS) == []
    assert list(project.folder.rglob("partial_parse.msgpack")), "the search went where it should"


def test_a_key_from_the_environment_that_the_database_would_show_is_refused_or_hidden(
    make_project: Make, adapter_name: str
) -> None:
    project = users(make_project(MIGRATION))
    row = {"username": "a", "email": "env:ADMIN_MAIL", "level": "env:ADMIN_MAIL"}
    for variable in ({"ADMIN_MAIL": MAIL}, {}):
        entries = [{"table": "users", "key": ["level"], "rows": [row]}]
        result = load(project, fails=True, vars={"dbt_selfheal": {"initial_data": entries}}, env=variable)
        words = " ".join(result.output.split())
        assert "initial_data[0]: row 1 takes the key column" in words
        assert '"level" of' in words
        assert "which is INTEGER and not text" in words.replace("integer", "INTEGER")
    long = MAIL * 9
    entries = [{"table": "users", "key": ["email"], "rows": [{**row, "level": 1}]}]
    result = load(
        project,
        fails=adapter_name == "postgres",
        vars={"dbt_selfheal": {"initial_data": entries}},
        env={"ADMIN_MAIL": long, "DBT_LOG_LEVEL": "debug"},
    )
    assert ("SQLSTATE 22001" in result.output) == (adapter_name == "postgres"), "longer than varchar(100)"
    assert leaks(project, *PARTS) == []
    assert MAIL not in result.output


REFUSALS = {
    "not null": "create table {s}.users (username varchar(50), email varchar(100), password_hash varchar(200), level integer, extra integer not null)",
    "unique mail": "create table {s}.users (username varchar(50), email varchar(100) unique, password_hash varchar(200), level integer); insert into {s}.users values ('other', '{mail}', null, 1)",
    "check": "create table {s}.users (username varchar(50), email varchar(100), password_hash varchar(200) check (length(password_hash) < 20), level integer)",
    "wrong type": "create table {s}.users (username varchar(50), email varchar(100), password_hash integer, level integer)",
    "foreign key": "create table {s}.mails (email varchar(100) primary key); create table {s}.users (username varchar(50), email varchar(100) references {r}mails (email), password_hash varchar(200), level integer)",
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_secrets_are_in_no_log_when_the_database_refuses_the_row(
    make_project: Make, adapter_name: str, kind: str
) -> None:
    if adapter_name == "sqlite" and kind in ("wrong type", "foreign key"):
        pytest.skip("SQLite checks neither unless told to")
    project = make_project({"models/a.sql": "select 1 as id"}, config=settings(ADMIN))
    without_healing(project, "run")
    schema = project.database.default_schema
    for statement in (
        REFUSALS[kind]
        .replace("{s}", schema)
        .replace("{r}", "" if adapter_name == "sqlite" else f"{schema}.")
        .replace("{mail}", MAIL)
        .split(";")
    ):
        project.execute(statement)
    result = load(project, fails=True, env=SECRETS)
    assert (
        "vars.dbt_selfheal.initial_data[0]" in result.output
        or "NOT NULL" in result.output.upper().replace("-", " ")
        or "CHECK" in result.output
        or "UNIQUE" in result.output
    ), result.output
    assert leaks(project, *PARTS) == []
    assert "admin" not in {row[0] for row in project.rows("users")}


def test_plain_text_in_place_of_a_hash_is_refused_and_not_repeated(make_project: Make) -> None:
    project = users(make_project(MIGRATION, config=settings(ADMIN)))
    weak = HASH.replace("m=65536", "m=4096")
    for value in (PLAIN, weak):
        result = load(project, fails=True, env={**SECRETS, "ADMIN_HASH": value})
        assert "ADMIN_HASH does not hold an Argon2id hash of sufficient strength" in result.output
        assert "dbt-selfheal hash-password" in result.output
    assert project.rows("users") == []
    assert leaks(project, *PARTS) == []


def test_a_password_written_out_is_refused_even_where_no_column_is_declared(make_project: Make) -> None:
    row = {"username": "admin", "password_hash": PLAIN, "level": 1}
    project = users(
        make_project(MIGRATION, config=settings({"table": "users", "key": ["username"], "rows": [row]}))
    )
    result = load(project, fails=True)
    assert "A password comes only as an Argon2id hash from the environment" in result.output
    assert PLAIN not in result.output
    assert PLAIN not in result.log
    for declared, message in (
        (["EMAIL"], "A password comes only as"),
        (["mail"], 'has no column "mail" (named in password_columns)'),
    ):
        entry = {
            "table": "users",
            "key": ["username"],
            "password_columns": declared,
            "rows": [{"username": "a", "email": PLAIN, "level": 1}],
        }
        result = load(project, fails=True, vars={"dbt_selfheal": {"initial_data": [entry]}})
        assert message in result.output
        assert PLAIN not in result.output
    assert project.rows("users") == []


def test_a_seed_takes_nothing_from_the_environment(make_project: Make) -> None:
    project = make_project({**SEEDS, "seeds/roles.csv": "code,title\nadmin,env:ROLE\n"})
    without_healing(project, "seed")
    assert "which a seed file cannot" in load(project, fails=True).output


def test_dbts_own_secret_variables_cannot_be_read_and_the_error_says_so(make_project: Make) -> None:
    row = {"username": "admin", "password_hash": "env:DBT_ENV_SECRET_HASH", "level": 1}
    project = users(
        make_project(MIGRATION, config=settings({"table": "users", "key": ["username"], "rows": [row]}))
    )
    result = load(project, fails=True, env={"DBT_ENV_SECRET_HASH": HASH})
    assert "dbt hides variables that begin with DBT_ENV_SECRET_ from macros: name it otherwise" in " ".join(
        result.output.split()
    )


WRONG: dict[str, tuple[Any, str]] = {
    "no list": ({"table": "users"}, "vars.dbt_selfheal.initial_data must be: list"),
    "no table": ([{"key": ["a"], "rows": []}], "vars.dbt_selfheal.initial_data[0].table must be the name"),
    "no key": ([{"table": "users", "rows": []}], "vars.dbt_selfheal.initial_data[0].key must be a list of column names"),
    "no rows": ([{"table": "users", "key": ["a"]}], "vars.dbt_selfheal.initial_data[0].rows must be a list of dictionaries"),
    "unknown": ([{"table": "users", "key": ["a"], "rows": [], "keys": 1}], "vars.dbt_selfheal.initial_data[0].keys is not one of"),
    "nested": ([{"table": "users", "key": ["a"], "rows": [{"a": [1]}]}], "initial_data[0].rows[0].a must be a text"),
    "no relation": ([{"table": "nowhere", "key": ["a"], "rows": [{"a": 1}]}], "there is no table"),
    "no column": ([{"table": "users", "key": ["usernam"], "rows": [{"usernam": "x"}]}], 'has no column "usernam"'),
    "no key value": ([{"table": "users", "key": ["username"], "rows": [{"level": 1}]}], 'row 1 has no value in the key column "username"'),
    "no column, no row": ([{"table": "users", "key": ["usernam"], "rows": []}], 'has no column "usernam" (named in key)'),
    "column twice": ([{"table": "users", "key": ["username"], "rows": [{"username": "a", "Username": "b"}]}], 'row 1 names the column "username" twice'),
    "part of a number": ([{"table": "users", "key": ["level"], "rows": [{"username": "a", "level": 1.5}]}], "the value is no whole number"),
    "same number": ([{"table": "users", "key": ["level"], "rows": [{"username": "a", "level": 1}, {"username": "b", "level": "1"}]}],
                    "rows 1 and 2 have the same key (level=1)"),
    "same key": ([{"table": "users", "key": ["username"], "rows": [{"username": "a", "level": 1}, {"username": "b", "level": 1}, {"username": "a", "level": 2}]}],
                 "rows 1 and 3 have the same key (username=a)"),
}  # fmt: skip


@pytest.mark.slow
def test_what_is_wrong_is_named_and_nothing_is_inserted(make_project: Make) -> None:
    project = users(make_project(MIGRATION))
    for kind, (value, message) in WRONG.items():
        result = load(project, fails=True, vars={"dbt_selfheal": {"initial_data": value}})
        assert message in result.output, (kind, result.output)
    assert project.rows("users") == []


def test_a_model_that_dbt_fills_anew_takes_no_rows(make_project: Make) -> None:
    project = make_project(
        {"models/t.sql": "{{ config(materialized='table') }} select 1 as id"},
        config=settings({"table": "t", "key": ["id"], "rows": [{"id": 2}]}),
    )
    without_healing(project, "run")
    assert "rows put there would be lost" in load(project, fails=True).output


def test_an_incremental_model_takes_rows(make_project: Make) -> None:
    project = make_project(
        {"models/t.sql": "{{ config(materialized='incremental') }} select 1 as id"},
        config=settings({"table": "t", "key": ["id"], "rows": [{"id": 2}, {"id": 1}]}),
    )
    without_healing(project, "run")
    assert reports(load(project)) == {"t": (1, 1, 0)}
    assert project.rows("t") == [(1,), (2,)]


def test_a_wrong_mark_and_a_missing_key_of_a_seed_are_errors(make_project: Make) -> None:
    project = make_project(
        {
            **SEEDS,
            "seeds/schema.yml": SEEDS["seeds/schema.yml"].replace(
                "insert_missing, key: [code]", "replace, key: [code]"
            ),
        }
    )
    without_healing(project, "seed")
    assert "meta.selfheal of the seed roles" in load(project, fails=True).output
    project.write({"seeds/schema.yml": SEEDS["seeds/schema.yml"].replace(", key: [code]", "")})
    assert (
        "meta.selfheal.key of the seed roles must be a list of column names"
        in load(project, fails=True).output
    )


def test_a_dry_run_inserts_nothing(make_project: Make) -> None:
    project = users(make_project(MIGRATION, config=settings(ADMIN)))
    result = load(project, args={"dry_run": True})
    assert "1 would be created, 0 there before, 1 waiting" in result.output
    assert project.rows("users") == []


def test_edits_of_a_marked_seed_survive_whatever_makes_dbt_empty_it(make_project: Make) -> None:
    """dbt empties a seed whose own full_refresh is false, and when it finds its own macros before this package's."""
    behind = [{"macro_namespace": "dbt", "search_order": ["shop", "dbt", "dbt_selfheal_database"]}]
    project = make_project(SEEDS, config={"seeds": {"+full_refresh": False}, "dispatch": behind})
    without_healing(project, "seed")
    project.execute("update roles set title = 'edited' where code = 'admin'")
    before = project.rows("roles")
    for arguments in (["seed"], ["seed", "--full-refresh"], ["build", "--full-refresh"]):
        assert "rows that people have edited must stay" in project.dbt_fails(*arguments).output
        assert project.rows("roles") == before


def test_dbt_seed_and_build_insert_what_is_missing_when_told_to_use_this_package(make_project: Make) -> None:
    project = make_project({**SEEDS, "seeds/plain.csv": "id\n1\n"}, config={"dispatch": DISPATCH})
    project.dbt("seed")
    expected = project.rows("roles")
    assert len(expected) == 3
    project.execute(
        "update roles set title = 'Boss' where code = 'admin'",
        "delete from roles where code = 'editor'",
        "insert into plain values (9)",
    )
    project.dbt("build")
    assert [row[1] for row in project.rows("roles")] == ["Boss", "Editor", "Reader"]
    assert project.rows("plain") == [(1,)], "a seed without the mark is filled anew, as ever"
    project.dbt("seed", "--full-refresh")
    assert project.rows("roles") == expected


def test_switched_off_nothing_is_loaded(make_project: Make) -> None:
    project = users(make_project(MIGRATION, config=settings(ADMIN)))
    load(project, env={**SECRETS, "DBT_SELFHEAL_ENABLED": "false"})
    assert project.rows("users") == []
