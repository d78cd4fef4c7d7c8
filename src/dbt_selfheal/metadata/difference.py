"""The statements that bring a database to SQLAlchemy models: Alembic compares, and writes the SQL."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dbt_selfheal.errors import ConfigurationError, InitializationError
from dbt_selfheal.metadata.definition import require
from dbt_selfheal.workspace.project import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData
    from sqlalchemy.engine import Engine

NEVER_DETECTED = (
    "renamed tables and columns (they are a drop and an add)",
    "changed CHECK constraints, and primary keys",
    "values added to an enumeration",
    "what has to become of the data",
)


@dataclass
class Difference:
    """What brings a database to its models.

    Args:
        up: The statements.
        down: Those that take them back.
        losses: What they drop, with the data in it.
        notes: What was not compared or not written, and why.
    """

    up: list[str] = field(default_factory=list)
    down: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def difference(workspace: Workspace, metadata: MetaData) -> Difference:
    """Compares the tables of models with the database of a workspace.

    Args:
        workspace: Where the database is.
        metadata: The models. Tables that they do not have are left alone: those may be dbt's.

    Raises:
        ConfigurationError: Alembic is not installed, or the database is of a kind that is not compared.
        InitializationError: The database cannot be read.
    """
    require("alembic")
    from alembic.autogenerate import produce_migrations
    from alembic.migration import MigrationContext
    from sqlalchemy.exc import SQLAlchemyError

    names = {table.name for table in metadata.tables.values()}

    def include(name: str | None, kind: str, _: Any) -> bool:
        return kind != "table" or name in names

    options = {"compare_type": True, "compare_server_default": True, "include_name": include}
    engine = _engine(workspace)
    try:
        with engine.connect() as connection:
            script = produce_migrations(MigrationContext.configure(connection, opts=options), metadata)
            found = Difference(notes=_left_alone(connection, names))
    except SQLAlchemyError as error:
        text = str(getattr(error, "orig", None) or error).strip()
        raise InitializationError(
            f"the database cannot be read: {text}",
            code="selfheal-connection-refused",
            remedy="Check that it runs, and the target in profiles.yml: dbt debug --connection",
        ) from None
    finally:
        engine.dispose()
    for operations, statements in ((script.upgrade_ops, found.up), (script.downgrade_ops, found.down)):
        for operation in _leaves(operations):
            sql = _written(operation, engine.dialect)
            if sql is not None:
                statements.append(sql)
            elif statements is found.up:
                found.notes.append(f"not written, since {workspace.adapter} cannot: {_shown(operation)}")
    found.losses = [_shown(each) for each in _leaves(script.upgrade_ops) if _drops_data(each)]
    found.notes = list(dict.fromkeys(found.notes))
    return found


def _engine(workspace: Workspace) -> Engine:
    """Returns an engine for the target's database; one of a file that is not there is empty, and stays so."""
    from sqlalchemy import create_engine
    from sqlalchemy.engine import URL
    from sqlalchemy.pool import NullPool

    output, file = workspace.output, workspace.database_file
    if workspace.adapter == "sqlite" and workspace.schema == "main":
        url = URL.create("sqlite", database=str(file) if file is not None and file.exists() else None)
        return create_engine(url, poolclass=None if url.database is None else NullPool)
    if workspace.adapter == "postgres":
        require("psycopg2")
        url = URL.create(
            "postgresql+psycopg2",
            username=output.get("user"),
            password=str(output.get("password") or output.get("pass") or "") or None,
            database=output.get("dbname") or output.get("database"),
            query={"host": str(output.get("host")), "port": str(output.get("port", 5432))},
        )
        path = '"' + workspace.schema.replace('"', '""').replace("\\", "\\\\").replace(" ", "\\ ") + '"'
        return create_engine(url, poolclass=NullPool, connect_args={"options": f"-c search_path={path}"})
    raise ConfigurationError(
        f"models are compared on SQLite (schema main) and PostgreSQL; this is {workspace.adapter}, schema "
        f"{workspace.schema}",
        code="selfheal-adapter-unsupported",
        remedy="Write the migration by hand: dbt-selfheal migrate create NAME",
    )


def _left_alone(connection: Connection, names: set[str]) -> list[str]:
    """Returns a note on the tables that no model has."""
    from sqlalchemy import inspect

    others = sorted(set(inspect(connection).get_table_names()) - names)
    shown = ", ".join(others[:8]) + (", ..." if len(others) > 8 else "")
    return [f"left alone, since no model has them: {shown}"] if others else []


def _leaves(operations: Any) -> Iterator[Any]:
    """Yields the single operations, in their order."""
    if hasattr(operations, "ops"):
        for operation in operations.ops:
            yield from _leaves(operation)
    else:
        yield operations


def _written(operation: Any, dialect: Any) -> str | None:
    """Returns the SQL of an operation, by Alembic's offline mode; None if the database cannot do it."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    buffer = io.StringIO()
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": buffer})
    try:
        Operations(context).invoke(operation)
    except NotImplementedError:
        return None
    return buffer.getvalue().strip()


def _drops_data(operation: Any) -> bool:
    return type(operation).__name__ in ("DropTableOp", "DropColumnOp")


def _shown(operation: Any) -> str:
    """Returns an operation in words, such as `drop column users.age`."""
    columns = getattr(operation, "local_cols", None)
    if columns:
        target = f"{operation.referent_table} ({', '.join(operation.remote_cols)})"
        return f"foreign key {operation.source_table} ({', '.join(columns)}) to {target}"
    words = type(operation).__name__.removesuffix("Op")
    verb = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in words).strip()
    table = getattr(operation, "table_name", None) or getattr(operation, "source_table", None) or ""
    column = getattr(operation, "column_name", None)
    name = getattr(operation, "constraint_name", None) or getattr(operation, "index_name", None)
    return f"{verb} {table}{'.' + column if column else ''}{' ' + str(name) if name else ''}".rstrip()
