"""An application's database from Python: the interfaces of the design, name by name, on real databases."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from support import DbtProject, Environment, PostgresDatabase, PostgresServer
from wrapper.test_migrate import HASH, migration

import dbt_selfheal
from dbt_selfheal import ConfigurationError, DatabaseCorruptionError, InitializationError, InitializationState
from dbt_selfheal import database as api
from dbt_selfheal.database import (
    Component,
    DatabaseInitializer,
    DataSeeder,
    HealthValidator,
    InitializationResult,
    MigrationResult,
    MigrationRunner,
    RepairResult,
    SchemaManager,
    SeedingResult,
    ValidationResult,
)

Make = Callable[..., DbtProject]
pytestmark = [pytest.mark.both_packages, pytest.mark.postgres, pytest.mark.sqlite]

FIRST, SECOND = "migration__0001__m1", "migration__0002__m2"
ADMIN = "APP_ADMIN_HASH"
APP = {
    "seeds/roles.csv": "code,name\nadmin,Administrator\nuser,User\n",
    "models/role_names.sql": "{{ config(materialized='table') }}\nselect code from {{ ref('roles') }}\n",
    **migration(
        1,
        "create table {s}.users (username varchar(50) not null, password_hash varchar(200));\n"
        "create table {s}.tenants (slug varchar(50) not null, name varchar(100))",
        "drop table {s}.users;\ndrop table {s}.tenants",
    ),
    **migration(2, "alter table {s}.users add column age integer", "alter table {s}.users drop column age"),
}
ROWS = [
    {
        "table": "users",
        "key": ["username"],
        "rows": [{"username": "admin", "password_hash": f"env:{ADMIN}"}],
    },
    {"table": "tenants", "key": ["slug"], "rows": [{"slug": "system", "name": "System"}]},
]
STARTED: dict[str, Any] = {"timeout_seconds": 200, "initial_data": ROWS}


@pytest.fixture(autouse=True)
def dbt(dbt_environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API's dbt is that of the tests."""
    for name in [name for name in os.environ if name.startswith("DBT_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv(ADMIN, raising=False)
    monkeypatch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    if dbt_environment.name != "dev":
        monkeypatch.setenv("DBT_SELFHEAL_DBT", str(dbt_environment.folder / "bin" / "dbt"))


@pytest.fixture
def app(make_project: Make) -> DbtProject:
    """The dbt project of an application: two migrations, a seed, a model, an administrator and a tenant."""
    return make_project(APP, config={"vars": {"dbt_selfheal": STARTED}})


def of(project: DbtProject, kind: Any = DatabaseInitializer, **options: Any) -> Any:
    """Returns a component for a project."""
    return kind(project.folder, profiles_dir=project.folder, **options)


# The interfaces, name by name

INTERFACES: dict[type, dict[str, tuple[list[str], Any]]] = {
    DatabaseInitializer: {
        "initialize": ([], InitializationResult),
        "validate_setup": ([], ValidationResult),
        "repair_if_needed": ([], RepairResult),
        "get_initialization_status": ([], dict[str, Any]),
    },
    SchemaManager: {
        "check_schema_exists": ([], bool),
        "create_schema": ([], bool),
        "validate_schema": ([], ValidationResult),
        "repair_schema": ([], RepairResult),
        "get_schema_info": ([], dict[str, Any]),
    },
    MigrationRunner: {
        "check_pending_migrations": ([], list[str]),
        "run_migrations": ([], MigrationResult),
        "rollback_migration": (["migration_id"], bool),
        "get_migration_history": ([], list[dict[str, Any]]),
    },
    DataSeeder: {
        "seed_initial_data": ([], SeedingResult),
        "create_admin_user": ([], bool),
        "create_system_tenants": ([], bool),
        "validate_seed_data": ([], bool),
    },
    HealthValidator: {
        "validate_connectivity": ([], bool),
        "validate_schema_integrity": ([], ValidationResult),
        "validate_data_integrity": ([], ValidationResult),
        "generate_health_report": ([], dict[str, Any]),
    },
}
FIELDS: dict[type[BaseModel], dict[str, Any]] = {
    InitializationResult: {
        "success": bool, "steps_completed": list[str], "errors": list[str], "warnings": list[str],
        "duration": float, "database_type": str,
    },
    ValidationResult: {"valid": bool, "issues": list[str], "suggestions": list[str], "severity": str},
    MigrationResult: {
        "success": bool, "migrations_applied": list[str], "failed_migration": str | None,
        "error_message": str | None, "rollback_performed": bool,
    },
    SeedingResult: {
        "success": bool, "records_created": dict[str, int], "records_skipped": dict[str, int],
        "errors": list[str],
    },
}  # fmt: skip


@pytest.mark.duckdb
@pytest.mark.parametrize("kind", INTERFACES, ids=lambda kind: kind.__name__)
def test_the_interface_is_that_of_the_design(kind: type[Component]) -> None:
    public = {
        name
        for name, value in vars(kind).items()
        if not name.startswith("_") and not isinstance(value, property)
    }
    assert public == set(INTERFACES[kind])
    for name, (required, returned) in INTERFACES[kind].items():
        method = getattr(kind, name)
        parameters = list(inspect.signature(method).parameters.values())[1:]
        assert [each.name for each in parameters if each.default is each.empty] == required
        assert typing.get_type_hints(method)["return"] == returned
        assert "Raises:" in method.__doc__ or "raises" in method.__doc__, f"{name} says what it raises"


@pytest.mark.duckdb
@pytest.mark.parametrize("model", FIELDS, ids=lambda model: model.__name__)
def test_a_result_has_the_fields_of_the_design(model: type[BaseModel]) -> None:
    found = {name: field.annotation for name, field in model.model_fields.items()}
    found.update({name: field.return_type for name, field in model.model_computed_fields.items()})
    for name, kind in FIELDS[model].items():
        if name == "severity":
            assert typing.get_args(found[name]) == ("info", "warning", "error", "critical")
        else:
            assert found[name] == kind, name
    if model is not InitializationResult:  # which has the fields of the first design too
        assert set(found) == set(FIELDS[model])


@pytest.mark.duckdb
def test_it_is_imported_at_its_first_use() -> None:
    assert dbt_selfheal.database is api
    for name in ("DatabaseInitializer", "SchemaManager", "MigrationRunner", "DataSeeder", "HealthValidator"):
        assert getattr(api, name).__module__.startswith("dbt_selfheal.database.")


# What they do


@pytest.mark.promise("An application's database")
def test_an_empty_database_is_made_ready_in_one_dbt_process(
    app: DbtProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    start = subprocess.Popen

    def count(command: Any, **options: Any) -> Any:
        started.append(command)
        return start(command, **options)

    with monkeypatch.context() as counted:
        counted.setattr(subprocess, "Popen", count)
        first = of(app).initialize()
    assert (first.success, first.state) == (True, InitializationState.COMPLETED)
    assert first.database_type == app.database.adapter
    assert first.duration == first.duration_seconds > 0
    order = ["run_migrations", "validate_schema", "load_seeds", "build_foundation", "load_initial_data"]
    assert [step for step in first.steps_completed if step in order] == order
    assert first.errors == []
    assert any(ADMIN in warning for warning in first.warnings), "the administrator waits for a hash"
    assert set(first.tables_created) == {"roles", "role_names"}
    assert {"users", "tenants", "roles", "role_names"} <= app.names()
    assert app.rows("tenants") == [("system", "System")]
    assert app.rows("users") == []
    assert len(started) == 1, "one dbt process"
    dbt_log = (app.folder / "logs" / "dbt.log").read_text()
    assert len(re.findall("(?i)partial parsing", dbt_log)) == 1, "one parse"
    monkeypatch.setenv(ADMIN, HASH)
    again = of(app).initialize()
    assert (again.success, again.tables_created, again.warnings) == (True, [], [])
    assert app.rows("users") == [("admin", HASH, None)]


def test_what_somebody_has_damaged_is_found_named_and_repaired(
    app: DbtProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADMIN, HASH)
    initializer = of(app)
    before = initializer.validate_setup()
    assert (before.valid, before.severity) == (False, "critical")
    assert any("required_relations" in issue for issue in before.issues)
    assert initializer.get_initialization_status()["state"] == "not_started"
    initializer.initialize()
    after = initializer.validate_setup()
    assert (after.valid, after.issues, after.suggestions, after.severity) == (True, [], [], "info")
    assert initializer.get_initialization_status()["state"] == "completed"
    assert initializer.schema.check_schema_exists() is True
    app.drop("role_names")
    app.execute(f"delete from {app.database.quoted('tenants')}")
    repaired = initializer.repair_if_needed()
    assert repaired.success
    schema = app.database.default_schema
    assert repaired.repairs == ["build role_names", f"insert 1 rows into {schema}.tenants"]
    nothing = initializer.repair_if_needed()
    assert (nothing.success, nothing.repairs, nothing.issues) == (True, [], [])


def test_the_schema_is_made_described_compared_and_mended(app: DbtProject) -> None:
    app.configure(vars={"dbt_selfheal": {"timeout_seconds": 200}})
    schema = of(app, SchemaManager)
    assert schema.create_schema() is True
    assert schema.create_schema() is False
    app.write(
        {
            "models/wide.sql": "{{ config(materialized='incremental') }}\nselect * from {{ ref('roles') }}",
            "models/schema.yml": "models:\n  - name: wide\n    columns: [{name: code}, "
            "{name: note, data_type: varchar(20)}]\n",
        }
    )
    assert schema.create_schema() is True
    info = {relation["name"]: relation for relation in schema.get_schema_info()["relations"]}
    assert info["roles"]["exists"]
    assert info["roles"]["kind"] == "table"
    assert [column["name"] for column in info["wide"]["columns"]] == ["code", "name"]
    found = schema.validate_schema()
    assert (found.valid, found.severity) == (False, "error")
    assert any("wide.note" in issue for issue in found.issues)
    assert of(app, HealthValidator).validate_schema_integrity() == found
    done = schema.repair_schema()
    assert len(done.repairs) == 1
    assert done.repairs[0].startswith("add column")
    assert [name for name, _ in app.columns("wide")] == ["code", "name", "note"]
    assert schema.repair_schema().repairs == []


def test_migrations_are_listed_applied_taken_back_and_remembered(app: DbtProject) -> None:
    runner = of(app, MigrationRunner)
    assert runner.check_pending_migrations() == [FIRST, SECOND]
    assert runner.get_migration_history() == []
    done = runner.run_migrations()
    assert done == MigrationResult(success=True, migrations_applied=[FIRST, SECOND])
    assert runner.check_pending_migrations() == []
    assert runner.run_migrations().migrations_applied == []
    with pytest.raises(api.MigrationError, match="not the newest") as caught:
        runner.rollback_migration(FIRST)
    assert caught.value.remedy
    assert runner.check_pending_migrations() == [], "nothing was taken back"
    assert runner.rollback_migration(SECOND) is True
    assert "age" not in dict(app.columns("users"))
    assert runner.rollback_migration("0001") is True
    assert "users" not in app.names()
    with pytest.raises(api.MigrationError, match=r"not applied|is pending"):
        runner.rollback_migration(FIRST)
    history = runner.get_migration_history()
    assert [row["name"] for row in history] == [FIRST, SECOND]
    assert all(row["rolled_back_at"] for row in history)


def test_initial_data_is_inserted_once_and_says_what_it_waits_for(
    app: DbtProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(app, MigrationRunner).run_migrations()
    seeder, schema = of(app, DataSeeder), app.database.default_schema
    assert seeder.validate_seed_data() is False
    waiting = seeder.seed_initial_data()
    assert waiting.success is False
    assert waiting.records_created == {f"{schema}.users": 0, f"{schema}.tenants": 1}
    assert ADMIN in waiting.errors[0]
    with pytest.raises(ConfigurationError, match=ADMIN) as caught:
        seeder.create_admin_user()
    assert "hash-password" in str(caught.value.remedy)
    monkeypatch.setenv(ADMIN, HASH)
    assert seeder.create_admin_user() is True
    assert seeder.create_admin_user() is False
    assert seeder.create_system_tenants() is False
    assert seeder.validate_seed_data() is True
    all_there = seeder.seed_initial_data()
    assert all_there.success
    assert all_there.records_skipped == {f"{schema}.users": 1, f"{schema}.tenants": 1}
    app.execute(f"update {app.database.quoted('tenants')} set name = 'Mine'")
    seeder.seed_initial_data()
    assert app.rows("tenants") == [("system", "Mine")], "what people have edited stays"


def test_where_no_initial_data_is_declared_the_error_says_how(app: DbtProject) -> None:
    app.configure(vars={"dbt_selfheal": {"timeout_seconds": 200}})
    seeder = of(app, DataSeeder)
    for call in (seeder.create_admin_user, seeder.create_system_tenants, seeder.validate_seed_data):
        with pytest.raises(ConfigurationError, match="declares no initial data") as caught:
            call()
        assert "initial_data:" in str(caught.value.remedy)
        assert "dbt_project.yml" in str(caught.value.remedy)
    with pytest.raises(ConfigurationError, match="accounts"):
        seeder.create_admin_user("accounts")


def test_health_is_asked_without_changing_anything(app: DbtProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADMIN, HASH)
    health = of(app, HealthValidator)
    assert health.validate_connectivity() is True
    broken = health.generate_health_report()
    assert (broken["verdict"], broken["adapter"]) == ("broken", app.database.adapter)
    assert app.names() == set()
    of(app).initialize()
    assert health.validate_data_integrity().valid
    app.write({"tests/none.sql": "select 1 as x from {{ ref('roles') }}"})
    found = health.validate_data_integrity()
    assert (found.valid, found.severity) == (True, "warning")
    assert found.suggestions == ["dbt test --select none"]


# Each error class, on the real database


def test_a_table_that_is_there_already(app: DbtProject) -> None:
    if app.database.adapter == "postgres":
        app.execute("create schema analytics")
    app.execute(f"create table {app.database.quoted('tenants')} (id integer)")
    error = _fails(app, api.TableCreationError)
    assert isinstance(error.result, InitializationResult)
    assert error.result.state is InitializationState.FAILED
    assert error.result.errors == [str(error)]
    runner = of(app, MigrationRunner)
    with pytest.raises(api.TableCreationError) as caught:
        runner.run_migrations()
    result = caught.value.result
    assert isinstance(result, MigrationResult)
    assert (result.success, result.failed_migration, result.rollback_performed) == (False, FIRST, True)
    assert result.error_message
    assert "users" not in app.names(), "of a migration that failed nothing remains"


def test_a_model_that_cannot_be_built(app: DbtProject) -> None:
    table = "{{ config(materialized='table') }}\n"
    app.write({"models/role_names.sql": table + "select nowhere from {{ ref('roles') }}"})
    error = _fails(app, api.TableCreationError)
    assert error.missing_tables == ["role_names"]


def test_what_a_setting_keeps_from_being_built(app: DbtProject) -> None:
    app.configure(vars={"dbt_selfheal": {"timeout_seconds": 200, "on_missing": "fail"}})
    error = _fails(app, ConfigurationError)
    assert (error.code, error.exit_code) == ("selfheal-missing", 7)
    assert "role_names" in error.missing_tables
    with pytest.raises(ConfigurationError, match="missing"):
        of(app, SchemaManager).create_schema()


ROWS_TWICE = "insert into {s}.users (username) values ('a'), ('a');\n"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        (ROWS_TWICE + "create unique index users_name on {t} (username)", "IndexCreationError"),
        ("insert into {s}.users (username) values (null)", "ConstraintViolationError"),
        ("create tabel {s}.x (id integer)", "MigrationError"),
    ],
)
def test_a_migration_that_fails(app: DbtProject, sql: str, kind: str) -> None:
    table = "{s}.users" if app.database.adapter != "sqlite" else "users"
    if app.database.adapter == "sqlite":
        sql = sql.replace("index users_name", "index {s}.users_name")
    app.write(migration(3, sql.replace("{t}", table)))
    error = _fails(app, getattr(api, kind))
    assert "m3" in str(error)
    assert app.rows("users") == []


def test_data_that_a_migration_cannot_convert(app: DbtProject) -> None:
    statement = "insert into {s}.tenants (slug, name) select 'x', json('{') from {s}.users"
    if app.database.adapter != "sqlite":
        statement = "insert into {s}.tenants select 'x', username::integer from {s}.users"
    app.write(migration(3, "insert into {s}.users (username) values ('ada');\n" + statement))
    error = _fails(app, api.DataMigrationError)
    assert type(error) is api.DataMigrationError


def test_a_migration_that_was_changed_or_deleted(app: DbtProject) -> None:
    runner = of(app, MigrationRunner)
    runner.run_migrations()
    app.write(migration(2, "alter table {s}.users add column age varchar(30)"))
    _fails(app, api.MigrationCorruptionError)
    app.remove("macros/m2.sql")
    with pytest.raises(api.MigrationCorruptionError) as caught:
        runner.run_migrations()
    assert caught.value.remedy


def test_a_file_of_migrations_that_cannot_be_read(app: DbtProject) -> None:
    app.write({"macros/m2.sql": "{% macro migration__0002__m2() %}\nselect {{ 1\n{% endmacro %}\n"})
    error = _fails(app, api.MigrationCorruptionError)
    assert "macros/m2.sql" in str(error)
    assert "line 3" in str(error)


def test_two_migrations_of_one_version_and_one_out_of_order(app: DbtProject) -> None:
    runner = of(app, MigrationRunner)
    twin = {"macros/twin.sql": "{% macro migration__0002__twin() %}select 1{% endmacro %}"}
    app.write(twin)
    _fails(app, api.VersionConflictError)
    app.remove(*twin)
    runner.run_migrations()
    app.write({"macros/late.sql": "{% macro migration__0001_5__late() %}select 1{% endmacro %}"})
    with pytest.raises(api.VersionConflictError, match="out of order"):
        runner.run_migrations()


@pytest.mark.sqlite
@pytest.mark.duckdb
def test_a_damaged_file(make_project: Make) -> None:
    project = make_project(APP, config={"vars": {"dbt_selfheal": STARTED}})
    if project.database.adapter == "postgres":
        pytest.skip("a server has no file")
    file = Path(
        project.database.profile().get("path") or project.database.profile()["schemas_and_paths"]["main"]
    )
    file.write_bytes(b"no database " * 2000)
    with pytest.raises(DatabaseCorruptionError) as caught:
        of(project).initialize()
    assert "recreate" in str(caught.value.remedy)
    assert of(project, HealthValidator).validate_connectivity() is False


@pytest.mark.skipif(os.name == "nt", reason="rights are those of POSIX")
def test_what_may_not_be_written_to(app: DbtProject, request: pytest.FixtureRequest) -> None:
    if app.database.adapter != "postgres":
        app.write_profile(**_unwritable(app))
        _fails(app, api.DatabasePermissionError)
        return
    app.execute("create role reader login", f"revoke create on database {app.database.name} from public")  # type: ignore[attr-defined]
    app.write_profile(user="reader")
    _fails(app, api.DatabasePermissionError)


def _unwritable(app: DbtProject) -> dict[str, Any]:
    """Returns a profile whose database file nobody, not even root, can write to."""
    if app.database.adapter == "sqlite":
        return {"schemas_and_paths": {"main": "/proc/none/main.db"}, "schema_directory": "/proc/none"}
    return {"path": "/proc/none/x.duckdb"}


def test_a_server_that_does_not_answer_and_one_that_refuses(app: DbtProject) -> None:
    if not isinstance(app.database, PostgresDatabase):
        pytest.skip("only servers refuse connections")
    health = of(app, HealthValidator)
    app.write_profile(host="127.0.0.1", port=1)
    error = _fails(app, api.DatabaseConnectionError)
    assert type(error) is api.DatabaseConnectionError
    assert health.validate_connectivity() is False
    assert of(app).validate_setup().severity == "critical"
    app.write_profile(dbname="nowhere")
    _fails(app, api.DatabaseConnectionError)
    with refused_user(app.database.server) as wrong:
        app.write_profile(**wrong)
        error = _fails(app, api.DatabaseAuthenticationError)
        assert health.validate_connectivity() is False
    assert "wr0ng-secret" not in f"{error} {error.remedy} {error.result}"


@contextmanager
def refused_user(server: PostgresServer) -> Iterator[dict[str, Any]]:
    """Has a server ask a user for its password; yields that user, with another one, for a profile."""
    rules = server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()

    def ask(text: str, *statements: str) -> None:
        rules.write_text(text)
        with server.connection("postgres") as connection:
            for statement in ("select pg_reload_conf()", *statements):
                connection.cursor().execute(statement)

    ask(
        "local all careful scram-sha-256\nlocal all all trust\n",
        "create role careful login password 'right-one'",
    )
    try:
        yield {"user": "careful", "password": "wr0ng-secret"}
    finally:
        ask(before, "drop role careful")


def _fails(project: DbtProject, kind: type[InitializationError]) -> InitializationError:
    """Initializes, which must raise an error of a class, with a remedy; returns it."""
    with pytest.raises(kind) as caught:
        of(project).initialize()
    error = caught.value
    assert error.remedy, error
    assert isinstance(error.result, InitializationResult)
    assert not error.result.success
    assert len(str(error).splitlines()) < 40
    return error


@pytest.mark.parametrize("options", [{"timeout_seconds": 0}, {"lock_timeout_seconds": -1}])
def test_numbers_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="_seconds"):
        DatabaseInitializer(**options)  # type: ignore[arg-type]
