"""Which relations a database has, asked directly with the adapter's own driver, without dbt."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from dbt_selfheal.workspace.project import Workspace

Relation = tuple[str, str, str]


class CatalogUnavailableError(Exception):
    """The catalog cannot be asked without dbt, or not now."""


def read_catalog(workspace: Workspace) -> dict[Relation, str]:
    """Returns the kind (`table` or `view`) of each relation by database, schema and name, all in lower case.

    Args:
        workspace: The workspace.

    Returns:
        All relations of the target's database.

    Raises:
        CatalogUnavailableError: There is no database, no driver, or no way without dbt.
    """
    reader = _READERS.get(workspace.adapter)
    if reader is None:
        raise CatalogUnavailableError(f"the catalog of {workspace.adapter} is only asked by dbt")
    return reader(workspace.output, workspace.database_file)


def _rows(rows: list[tuple[Any, ...]]) -> dict[Relation, str]:
    return {
        (str(database).lower(), str(schema).lower(), str(name).lower()): "view"
        if "VIEW" in str(kind).upper()
        else "table"
        for database, schema, name, kind in rows
    }


def _duckdb(_: Mapping[str, Any], file: Path | None) -> dict[Relation, str]:
    if file is None or not file.exists():
        raise CatalogUnavailableError("there is no database file")
    duckdb = _duckdb_module()
    query = (
        "select database_name, schema_name, table_name, 'table' from duckdb_tables() where not internal "
        "union all "
        "select database_name, schema_name, view_name, 'view' from duckdb_views() where not internal"
    )
    try:
        try:
            connection = duckdb.connect(str(file), read_only=True)
        except duckdb.ConnectionException:  # this process has it open for writing: share that instance
            connection = duckdb.connect(str(file))
        with connection:
            return _rows(connection.execute(query).fetchall())
    except (duckdb.Error, RuntimeError) as error:
        raise CatalogUnavailableError(str(error)) from error


def _duckdb_module() -> Any:
    """Returns DuckDB's own module: the compiled part alone loads in a third of the time."""
    for name in ("duckdb",) if "duckdb" in sys.modules else ("_duckdb", "duckdb"):
        with suppress(ImportError):
            return import_module(name)
    raise CatalogUnavailableError("duckdb cannot be imported")


def _sqlite(output: Mapping[str, Any], file: Path | None) -> dict[Relation, str]:
    import sqlite3

    paths = output.get("schemas_and_paths")
    if file is None or not isinstance(paths, dict):
        raise CatalogUnavailableError("there is no database file")
    database, found = str(output.get("database") or "database"), {}
    for schema, path in paths.items():
        place = file.parent / Path(str(path)).name if schema == "main" else Path(str(path))
        if not place.is_absolute() or not place.exists():
            raise CatalogUnavailableError(f"there is no file {place}")
        try:
            connection = sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=1)
            try:
                rows = connection.execute(
                    "select name, type from sqlite_master "
                    "where type in ('table', 'view') and name not like 'sqlite_%'"
                ).fetchall()
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise CatalogUnavailableError(str(error)) from error
        found.update(_rows([(database, schema, name, kind) for name, kind in rows]))
    return found


def _postgres(output: Mapping[str, Any], _: Path | None) -> dict[Relation, str]:
    try:
        import psycopg2
    except ImportError as error:
        raise CatalogUnavailableError("psycopg2 cannot be imported") from error
    names = {
        "host": "host", "port": "port", "user": "user", "dbname": "dbname", "database": "dbname",
        "pass": "password", "password": "password", "sslmode": "sslmode", "sslcert": "sslcert",
        "sslkey": "sslkey", "sslrootcert": "sslrootcert",
    }  # fmt: skip
    if output.get("role"):
        raise CatalogUnavailableError("the profile sets a role, which dbt takes on")
    options = {names[key]: value for key, value in output.items() if key in names and value not in (None, "")}
    query = """
        select current_database(), n.nspname, c.relname, case c.relkind when 'v' then 'view' else 'table' end
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'f')
        and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
    """
    try:
        connection = psycopg2.connect(**options, connect_timeout=5, application_name="dbt-selfheal")
        try:
            cursor = connection.cursor()
            cursor.execute(query)
            return _rows(cursor.fetchall())
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise CatalogUnavailableError(str(error)) from error


_READERS: dict[str, Callable[[Mapping[str, Any], Path | None], dict[Relation, str]]] = {
    "duckdb": _duckdb,
    "sqlite": _sqlite,
    "postgres": _postgres,
}
