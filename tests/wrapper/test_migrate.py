# ruff: noqa: E501 - SQL and Jinja in one line
"""dbt-selfheal migrate and hash-password: the same as the package's operations, with locks, remedies and exit codes."""

from __future__ import annotations

import getpass
import json
import os
import platform
import pty
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest
from support import ROOT, DbtProject, PostgresDatabase
from wrapper.conftest import COMMAND, SHOP, Cli

from dbt_selfheal.cli import cli as group
from dbt_selfheal.cli.migrate import migrate
from dbt_selfheal.passwords import is_password_hash, verify_password

Make = Callable[..., DbtProject]
pytestmark = pytest.mark.both_packages

HASH = "$argon2id$v=19$m=65536,t=3,p=1$cGxhbnRlZFNhbHRWYWx1ZQ$UGxhbnRlZEhhc2hWYWx1ZU9mVGhlRmlyc3RBZG1pbg"
HISTORY = "selfheal_migrations"
MIGRATES = {"vars": {"dbt_selfheal": {"migrations": True}}}


def migration(number: int, up: str, down: str | None = None) -> dict[str, str]:
    """Returns the file of a migration; `{s}` stands for the target schema."""
    text = f"{{% macro migration__{number:04}__m{number}() %}}\n{up}\n{{% endmacro %}}\n"
    if down is not None:
        text += f"{{% macro rollback__{number:04}__m{number}() %}}\n{down}\n{{% endmacro %}}\n"
    return {f"macros/m{number}.sql": text.replace("{s}", "{{ target.schema }}")}


PEOPLE = (
    "create table {s}.people (id integer not null, name varchar(20));\n"
    "insert into {s}.people values (1, 'Ada');\ninsert into {s}.people values (1, 'x7')"
)
TWO = {
    "models/a.sql": "select 1 as id",
    **migration(1, PEOPLE, "drop table {s}.people"),
    **migration(2, "alter table {s}.people add column age integer", "alter table {s}.people drop column age"),
}


def states(document: dict[str, Any]) -> dict[str, str]:
    """Returns the state of each migration, by version."""
    return {entry["version"]: entry["state"] for entry in document["migrations"]}


def test_status_up_down_and_up_again(cli: Cli, make_project: Make) -> None:
    project = make_project(TWO)
    before = cli(project, "migrate", "status", "--json", code=1).document
    assert (before["state"], states(before)) == ("pending", {"0001": "pending", "0002": "pending"})
    dry = cli(project, "migrate", "up", "--dry-run")
    assert "alter table" in dry.stdout
    assert project.names() == set()
    first = cli(project, "migrate", "up", "--to", "0001", "--json").document
    assert [done["version"] for done in first["applied"]] == ["0001"]
    second = cli(project, "migrate", "up")
    assert "OK applied migration 0002 m2" in second.stdout
    assert "nothing is pending" in cli(project, "migrate", "up", "-q").stdout
    done = cli(project, "migrate", "status", "--json").document
    assert (done["state"], states(done)) == ("up_to_date", {"0001": "applied", "0002": "applied"})
    down = cli(project, "migrate", "down", "--to", "0", "--json").document
    assert [entry["version"] for entry in down["rolled_back"]] == ["0002", "0001"]
    assert "people" not in project.names()
    cli(project, "migrate", "up")
    assert len(project.rows("people")) == 2


@pytest.mark.duckdb
def test_it_does_what_the_operation_does(cli: Cli, make_project: Make) -> None:
    columns = "package, version, attempt, name, checksum, action, applied_by, host, statements_done, success"
    here = {"USER": getpass.getuser(), "HOSTNAME": platform.node()}  # which the wrapper knows by itself
    found = []
    for by_wrapper in (True, False):
        project = make_project(TWO)
        if by_wrapper:
            cli(project, "migrate", "up")
        else:
            project.dbt("run-operation", "run_migrations", env=here)
        found.append(project.query(f"select {columns} from {HISTORY} order by version"))
    assert len(found[0]) == 2
    assert found[0] == found[1]


@pytest.mark.duckdb
def test_what_is_wrong_has_a_remedy_and_is_settled_by_repair_and_baseline(
    cli: Cli, make_project: Make
) -> None:
    project = make_project(TWO, config=MIGRATES)
    off = cli(project, "migrate", "baseline", "0002", "--json", env={"DBT_SELFHEAL_ENABLED": "false"})
    assert off.document == {}
    assert "2 up to 0002 recorded as applied" in cli(project, "migrate", "baseline", "0002").stdout
    assert "people" not in project.names()
    project.write(migration(2, "alter table {s}.people add column years integer"))
    failed = cli(project, "migrate", "validate", "--json", code=1)
    assert failed.error["code"] == "selfheal-migrations-blocked"
    assert "0002 m2 (macros/m2.sql) was changed after it was applied" in failed.said
    assert "dbt-selfheal migrate status" in failed.error["remedy"]
    assert cli(project, "ensure", "--json", code=1).error["code"] == "selfheal-migrations-blocked"
    repaired = cli(project, "migrate", "repair", "0002", "mark-applied", "--json").document
    assert (repaired["state_before"], repaired["action"]) == ("changed", "mark_applied")
    assert cli(project, "migrate", "validate", "--json").document["valid"] is True
    rows = cli(project, "migrate", "history", "--json").document["history"]
    assert [(row["version"], row["action"]) for row in rows] == [
        ("0001", "baseline"),
        ("0002", "mark_applied"),
    ]
    cli(project, "migrate", "repair", "0002", "no-such-action", code=2)
    unknown = cli(project, "migrate", "baseline", "0009", code=7)
    assert "there is no migration with the version 0009" in unknown.said


# For each error class of the design document: the SQL, and the catalogue's code.
CLASSES = {
    "table": ("create table {s}.people (id integer)", "migration-exists"),
    "index": ("create index {i}people_age on {t}people (no_such)", "migration-object-missing"),
    "constraint": ("create unique index {i}people_id on {t}people (id)", "migration-constraint"),
    "row": ("insert into {s}.people values (null, 'nobody', 1)", "migration-constraint"),
    "syntax": ("alter tabel {s}.people", "migration-syntax"),
    "data": (
        "create table {s}.numbers as select cast(name as integer) as n from {s}.people",
        "migration-data",
    ),
}


def test_each_kind_of_failure_has_its_remedy_and_leaves_nothing(
    cli: Cli, make_project: Make, adapter_name: str
) -> None:
    project = make_project(TWO)
    cli(project, "migrate", "up")
    before = project.relations()
    for kind, (sql, code) in CLASSES.items():
        if (kind, adapter_name) == ("data", "sqlite"):
            continue  # SQLite converts any text to a number
        schema_of = (
            ("{s}.", "") if adapter_name == "sqlite" else ("", "{s}.")
        )  # of an index, and of its table
        sql = sql.replace("{i}", schema_of[0]).replace("{t}", schema_of[1])
        project.write(migration(3, f"create table {{s}}.half (id integer); {sql}"))
        failed = cli(project, "migrate", "up", "--json", code=1)
        assert failed.error["code"] == f"selfheal-{code}", (kind, failed.error)
        assert "migration__0003__m3 (macros/m3.sql)" in failed.error["message"]
        assert "macros/m3.sql" in failed.error["remedy"]
        assert project.relations() == before, kind
    assert states(cli(project, "migrate", "status", "--json", code=1).document)["0003"] == "pending"
    project.write(migration(3, "create table {s}.half (id integer)"))
    cli(project, "migrate", "up")
    project.write(migration(4, "select 1"))
    project.write({"macros/twin.sql": "{% macro migration__4__twin() %}select 1{% endmacro %}"})
    conflict = cli(project, "migrate", "up", "--json", code=1).error
    assert (conflict["code"], "is used by 2 migrations" in conflict["message"]) == (
        "selfheal-migrations-blocked",
        True,
    )


@pytest.mark.postgres
def test_without_the_right_to_create_tables_the_right_is_named(cli: Cli, make_project: Make) -> None:
    project = make_project(TWO)
    assert isinstance(project.database, PostgresDatabase)
    role = f"guest_{os.urandom(4).hex()}"
    project.execute(f"create role {role} login password 'guest'", "create schema if not exists analytics")
    project.execute(f"grant usage on schema analytics to {role}")
    project.write_profile(user=role, password="guest")
    failed = cli(project, "migrate", "up", "--json", code=1).error
    assert failed["code"] == "selfheal-permission"
    assert "permission denied" in failed["message"]
    assert "administrator" in failed["remedy"]


ADMIN: dict[str, Any] = {
    "table": "users",
    "key": ["username"],
    "rows": [{"username": "admin", "password_hash": "env:ADMIN_HASH"}, {"username": "guest"}],
}
USERS = migration(1, "create table {s}.users (username varchar(20), password_hash varchar(200))")


@pytest.mark.parametrize("arguments", [(), ("--threads", "2")], ids=["hook", "native"])
def test_ensure_migrates_before_it_heals_and_loads_initial_data_after(
    cli: Cli, make_project: Make, arguments: tuple[str, ...]
) -> None:
    settings = {"timeout_seconds": 200, "migrations": True, "initial_data": [ADMIN]}
    project = make_project({**SHOP, **USERS}, config={"vars": {"dbt_selfheal": settings}})
    log = project.folder / "events.jsonl"
    options = ("--json", "--log-file", str(log), *arguments)
    first = cli(project, "ensure", *options, env={"ADMIN_HASH": HASH}).document
    assert first["state"] == "completed"
    names = [step["name"] for step in first["steps"] if step["name"] != "acquire_lock"]
    assert names.index("run_migrations") < names.index("load_seeds") < names.index("load_initial_data")
    assert project.rows("users") == [("admin", HASH), ("guest", None)]
    project.execute("delete from users where username = 'guest'")
    again = cli(project, "ensure", *options).document
    assert (again["state"], again["tables_created"]) == ("completed", [])
    assert len(project.rows("users")) == 2, (
        "rows that must exist are looked for, although no relation is missing"
    )
    for path in [log, *project.folder.rglob("*.json"), *project.folder.rglob("*.log*")]:
        assert HASH.split("$")[-1] not in path.read_text(errors="replace"), path


@pytest.mark.duckdb
def test_exec_blocks_the_nodes_when_a_migration_fails_and_names_its_file(
    cli: Cli, make_project: Make
) -> None:
    project = make_project(
        {**TWO, **migration(2, "alter tabel {s}.people add column age integer")}, config=MIGRATES
    )
    failed = cli(project, "exec", "--", "dbt", "run", code=1)
    assert "in the migration migration__0002__m2 (macros/m2.sql)" in failed.said
    assert "What to do: Correct macros/m2.sql" in failed.said
    assert project.names() == {"people", HISTORY}
    project.write(migration(2, "alter table {s}.people add column age integer"))
    cli(project, "exec", "--", "dbt", "run")
    assert project.names() == {"people", HISTORY, "a"}


@pytest.mark.duckdb
def test_without_the_hash_ensure_says_how_to_make_an_administrator(cli: Cli, make_project: Make) -> None:
    project = make_project(
        USERS, config={"vars": {"dbt_selfheal": {"migrations": True, "initial_data": [ADMIN]}}}
    )
    result = cli(project, "ensure")
    assert "username=admin" in result.stderr
    assert "dbt-selfheal hash-password" in result.said
    assert project.rows("users") == [("guest", None)]
    project.execute("delete from users")
    for arguments, rows in ((["--dry-run"], []), ([], [("guest", None)])):
        (table,) = cli(project, "initial-data", *arguments, "--json").document["tables"]
        assert (table["created"], table["waiting"]) == (1, 1)
        assert project.rows("users") == rows
    failed = cli(project, "ensure", "--json", env={"ADMIN_HASH": "PlainTextPassword"}, code=7)
    assert "does not hold an Argon2id hash" in failed.said
    assert "PlainTextPassword" not in failed.output


@pytest.mark.duckdb
@pytest.mark.faults
def test_eight_at_once_apply_each_migration_once(cli: Cli, make_project: Make) -> None:
    files = {"models/a.sql": "select 1 as id"}
    for number in range(1, 11):
        files.update(migration(number, f"create table {{s}}.t{number} as select 1 as id"))
    project = make_project(files)
    processes = [cli.start(project, "migrate", "up", "--json", "--lock-timeout", "200") for _ in range(8)]
    outputs = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, outputs
    applied = [len(json.loads(output)["result"]["applied"]) for output, _ in outputs]
    assert sorted(applied) == [0] * 7 + [10]
    assert project.query(f"select count(*), count(distinct version) from {HISTORY}") == [(10, 10)]


def hashed(text: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs hash-password with a text on standard input."""
    done = subprocess.run(
        [*COMMAND, "hash-password", *arguments], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done
    return done


def test_a_password_from_standard_input_becomes_a_hash_that_macros_take() -> None:
    first, second = (hashed("correct horse\n").stdout.strip() for _ in range(2))
    assert first != second, "each has a salt of its own"
    assert is_password_hash(first)
    assert verify_password("correct horse", first)
    assert not verify_password("correct horse\n", first)


def test_no_password_and_a_password_as_an_argument_are_refused_and_not_repeated() -> None:
    assert "What to do" in hashed("\n", code=2).stderr
    done = hashed("", "SecretArgument", code=2)
    assert "never given as an argument" in done.stderr
    assert "SecretArgument" not in done.stdout + done.stderr


def test_without_argon2_the_extra_is_named() -> None:
    program = "import sys; sys.modules['argon2'] = None; from dbt_selfheal.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "hash-password"],
        input="x\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7
    assert "pip install 'dbt-selfheal[passwords]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(COMMAND[0], [*COMMAND, "hash-password"])
    seen = b""
    for word in (b"Password: ", b"Repeat for confirmation: "):
        while word not in seen:
            seen += os.read(terminal, 1000)
        os.write(terminal, b"typed secret\n")
    try:
        while chunk := os.read(terminal, 1000):
            seen += chunk
    except OSError:  # the terminal is closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"typed secret" not in seen
    assert verify_password("typed secret", seen.decode().split()[-1])


@pytest.mark.parametrize("name", [*migrate.commands, "initial-data", "hash-password"])
def test_each_command_has_a_help_text_with_an_example_and_is_documented(name: str) -> None:
    command: click.Command = {**group.commands, **migrate.commands}[name]
    assert migrate is group.commands["migrate"]
    assert command.help
    assert "dbt-selfheal" in command.help.split("Example")[1]
    page = (ROOT / "docs" / "cli.md").read_text()
    assert f"`{name}`" in page or f"`migrate {name}" in page
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
