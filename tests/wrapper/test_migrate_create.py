"""SQLAlchemy models: their DDL, and migrations that bring a database to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, String, Table
from support import DbtProject, PostgresDatabase
from wrapper.conftest import Cli
from wrapper.test_json import holds

from dbt_selfheal import ConfigurationError
from dbt_selfheal.database import SchemaDefinition

Make = Callable[..., DbtProject]
pytestmark = [pytest.mark.both_packages, pytest.mark.postgres, pytest.mark.sqlite]

MODELS = """
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(50), unique=True, server_default="{{ system }}")


class User(Base):
    __tablename__ = "users"
    username: Mapped[str] = mapped_column(String(50), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), index=True)
"""
AGE = "    age: Mapped[int | None] = mapped_column()\n"
FROM = ("--from", "app.models:Base.metadata")


@pytest.fixture
def metadata() -> MetaData:
    """Two tables, an index, and constraints with names and without."""
    found = MetaData()
    Table("tenants", found, Column("id", Integer, primary_key=True), Column("slug", String(50), unique=True))
    users = Table(
        "users",
        found,
        Column("username", String(50), primary_key=True),
        Column("tenant_id", ForeignKey("tenants.id")),
        CheckConstraint("length(username) > 1", name="long_name"),
    )
    Index("users_tenant", users.c.tenant_id)
    return found


@pytest.mark.duckdb
@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_ddl_of_models_is_what_their_dialect_takes(metadata: MetaData, dialect: str) -> None:
    definition = SchemaDefinition(metadata, dialect)
    tables = definition.get_table_definitions()
    assert list(tables) == ["tenants", "users"], "in an order in which they can be run"
    indexes = definition.get_index_definitions()
    assert indexes == {"users_tenant": "CREATE INDEX users_tenant ON users (tenant_id)"}
    constraints = definition.get_constraint_definitions()
    assert set(constraints) == {
        "long_name",
        "tenants_primarykey_id",
        "tenants_unique_slug",
        "users_foreignkey_tenant_id",
        "users_primarykey_username",
    }
    alter = "ALTER TABLE users ADD " if dialect == "postgres" else ""
    assert constraints["long_name"] == f"{alter}CONSTRAINT long_name CHECK (length(username) > 1)"
    assert definition.get_table_definitions() == tables, "the models are as they were"
    if dialect == "sqlite":
        connection = sqlite3.connect(":memory:")
        for statement in [*tables.values(), *indexes.values()]:
            connection.execute(statement)


@pytest.mark.duckdb
def test_what_is_no_metadata_and_no_dialect_is_refused(metadata: MetaData) -> None:
    with pytest.raises(TypeError, match="MetaData"):
        SchemaDefinition(object(), "sqlite")
    with pytest.raises(ConfigurationError, match="oracle9") as caught:
        SchemaDefinition(metadata, "oracle9")
    assert caught.value.remedy


@pytest.mark.duckdb
def test_an_empty_one_is_written_and_nothing_is_overwritten(cli: Cli, make_project: Make) -> None:
    project = make_project({"models/a.sql": "select 1 as id"})
    finished = cli(project, "migrate", "create", "create_users", "--json")
    holds(finished, "migrate create")
    first = finished.document
    assert (first["file"], first["version"]) == ("macros/migrations/0001_create_users.sql", "0001")
    text = (project.folder / first["file"]).read_text()
    assert "macro migration__0001__create_users()" in text
    assert "macro rollback__0001__create_users()" in text
    second = cli(project, "migrate", "create", "create_users", "--json").document
    assert second["version"] == "0002"
    kept = project.folder / second["file"]
    kept.write_text("mine")
    refused = cli(project, "migrate", "create", "create_users", "--version", "0002", code=7)
    assert "is there already" in refused.said
    assert kept.read_text() == "mine"


@pytest.mark.duckdb
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a/b"], "migrate create a_b"),
        (["it's"], "migrate create it_s"),
        (['"quoted"'], "migrate create quoted"),
        (["x", "--version", "1.2"], "Leave it out"),
        (["x", "--from", "nowhere.models:Base"], "there is no module nowhere"),
        (["x", "--from", "json:nothing"], "no attribute 'nothing'"),
        (["x", "--from", "json:dumps"], "MetaData"),
        (["x", "--from", "json"], "package.module:metadata"),
        (["x", "--from", "broken:Base"], "ZeroDivisionError"),
    ],
)
def test_a_wrong_name_and_wrong_models_are_one_clear_error(
    cli: Cli, make_project: Make, arguments: list[str], says: str
) -> None:
    project = make_project({"models/a.sql": "select 1 as id", "broken.py": "1 / 0"})
    refused = cli(project, "migrate", "create", *arguments, code=7)
    assert says in refused.said
    assert len(refused.stderr.splitlines()) <= 8
    assert not (project.folder / "macros").exists()


def test_migrations_are_made_of_models(cli: Cli, make_project: Make) -> None:
    project = make_project({"models/a.sql": "select 1 as id", "app/models.py": MODELS})
    cli(project, "ensure")
    finished = cli(project, "migrate", "create", "to_models", *FROM, "--json")
    holds(finished, "migrate create")
    made = finished.document
    assert made["drops"] == []
    assert len(made["statements"]) == 3
    text = (project.folder / made["file"]).read_text()
    assert "{% raw %}" in text, "braces in SQL are SQL"
    pending = cli(project, "migrate", "create", "again", *FROM, code=7)
    assert "migrate up" in pending.said
    cli(project, "migrate", "up")
    schema = project.database.default_schema
    assert {f"{schema}.tenants", f"{schema}.users"} <= set(project.relations())
    same = cli(project, "migrate", "create", "again", *FROM)
    assert "Nothing to write" in same.stdout
    assert "renamed" in same.stdout
    project.write({"app/models.py": MODELS + AGE})
    cli(project, "migrate", "create", "add_age", *FROM)
    cli(project, "migrate", "up")
    assert "age" in dict(project.columns("users"))
    project.write({"app/models.py": MODELS})
    dropping = cli(project, "migrate", "create", "no_age", *FROM)
    assert "DROPS data: drop column users.age" in dropping.stdout
    Path(project.folder / "macros/migrations/0003_no_age.sql").unlink()
    cli(project, "migrate", "down", "--to", "0")
    assert not {"tenants", "users"} & project.names()


def test_a_database_that_cannot_be_compared_is_named(cli: Cli, make_project: Make) -> None:
    project = make_project({"models/a.sql": "select 1 as id", "app/models.py": MODELS})
    if isinstance(project.database, PostgresDatabase):
        project.write_profile(password="wr0ng-secret", host="127.0.0.1", port=1)
        failed = cli(project, "migrate", "create", "x", *FROM, code=1)
        assert "wr0ng-secret" not in failed.output
    else:
        project.write_profile(schema="other")
        failed = cli(project, "migrate", "create", "x", *FROM, code=None)
        assert failed.returncode in (1, 7)
    assert "What to do" in failed.said
