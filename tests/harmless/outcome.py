"""What a run leaves behind, in a form that can be compared: relations, files, and what dbt has written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import Database, DbtProject, DbtResult, DuckDbDatabase

PACKAGE = "dbt_selfheal"
# What dbt, the tests and the package itself write into a project, and databases, whose rows are compared.
NOT_DATA = re.compile(
    r"(target|logs|dbt_packages|state)(/|$)|packages\.yml$|package-lock|profiles\.yml$|\.user\.yml$"
)
DATABASE = re.compile(r"\.duckdb(\.wal)?$")
# Other words in each run, and nothing that a user would call a result.
VOLATILE = ("timing", "execution_time", "thread_id", "created_at", "metadata", "args", "elapsed_time")
HOOKS_OWN = ("index", "message", "compiled_code", "compiled_path", "relation_name")
MANIFEST = (
    "nodes",
    "sources",
    "exposures",
    "metrics",
    "unit_tests",
    "functions",
    "disabled",
    "parent_map",
    "child_map",
)
DUCKDB_RELATIONS = (
    "select table_catalog, table_schema, table_name, table_type from information_schema.tables "
    "where table_catalog not in ('system', 'temp') order by all"
)
DUCKDB_SCHEMAS = (
    "select database_name, schema_name from duckdb_schemas() where not internal "
    "and database_name not in ('system', 'temp') order by all"
)
POSTGRES_RELATIONS = (
    "select n.nspname, c.relname, c.relkind::text, pg_get_userbyid(c.relowner), c.relacl::text "
    "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' "
    "and n.nspname not like 'pg\\_%' order by 1, 2"
)


@dataclass
class Outcome:
    """What was there when all steps were done.

    Attributes:
        relations: By name with its schema (and database, if it is another): kind, owner, columns and rows.
        schemas: The names of the schemas.
        files: The content of the data files, by path in the project.
        codes: The exit code of each dbt command.
        results: The normalized results of each dbt command that has written any, else None.
        manifest: The normalized part of the manifest that has nodes.
        foreign: What the manifest has of the package itself.
        output: What dbt said, all commands together.
    """

    relations: dict[str, dict[str, Any]] = field(default_factory=dict)
    schemas: list[Any] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    output: str = ""


def look(project: DbtProject, commands: list[DbtResult]) -> Outcome:
    """Looks at what there is.

    Args:
        project: The project.
        commands: What dbt returned, in the order of the commands.

    Returns:
        The outcome.
    """
    outcome = Outcome(
        files=dict(_files(project.folder)),
        codes=[command.returncode for command in commands],
        output="\n".join(command.explain() for command in commands),
    )
    if isinstance(project.database, DuckDbDatabase):
        _look_at_duckdb(project.database, project.folder, outcome)
    else:
        _look_at_postgres(project.database, outcome)
    for command in commands:
        outcome.results.append(_results(command.run_results))
        if command.manifest:
            parts = {part: command.manifest.get(part) or {} for part in MANIFEST}
            outcome.foreign += sorted(
                key for part in parts.values() for key in part if f".{PACKAGE}." in key and not _is_hook(key)
            )
            outcome.manifest[f"{len(outcome.results)}: {command.command}"] = _without_package(parts)
    return outcome


def differences(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Compares two values down to where they differ.

    Args:
        expected: What must be.
        found: What is.
        path: Where the values are, for the texts.

    Yields:
        A text for each difference.
    """
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in expected.keys() | found.keys():
            where = f"{path}.{key}" if path else str(key)
            if key not in found:
                yield f"{where}: only without the package: {_short(expected[key])}"
            elif key not in expected:
                yield f"{where}: only with the package: {_short(found[key])}"
            else:
                yield from differences(expected[key], found[key], where)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif expected != found:
        yield f"{path}: {_short(expected)} without the package, {_short(found)} with it"


def query(project: DbtProject, sql: str) -> list[tuple[Any, ...]]:
    """Returns the rows of a query; on DuckDB the files of the project that are databases are attached."""
    if not isinstance(project.database, DuckDbDatabase):
        return project.database.query(sql)
    with _duckdb(project.database, project.folder) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
        return rows


def _results(run_results: Any) -> Any:
    """Returns the results of run_results.json, by node, without our hook and what always differs."""
    if not run_results:
        return None
    return {
        result["unique_id"]: _node(result)
        for result in run_results["results"]
        if not _is_hook(result["unique_id"])
    }


def _without_package(value: Any) -> Any:
    """Returns a part of the manifest without what always differs, our hook and our macros."""
    if isinstance(value, dict):
        return {key: _without_package(one) for key, one in _node(value).items() if f".{PACKAGE}." not in key}
    if isinstance(value, list):
        return [_without_package(one) for one in value if f".{PACKAGE}." not in str(one)]
    return value


def _node(content: dict[str, Any]) -> dict[str, Any]:
    """Returns a node's result or its part of the manifest without what always differs.

    Our hook takes a place among the hooks, whose numbers follow; where a project wires it, it is compiled.
    """
    kept = {key: value for key, value in content.items() if key not in VOLATILE}
    if str(content.get("unique_id")).startswith("operation."):
        kept = {key: value for key, value in kept.items() if key not in HOOKS_OWN}
    return kept


def _is_hook(unique_id: str) -> bool:
    """Tells whether a unique id is that of the package's hook."""
    return unique_id.startswith(f"operation.{PACKAGE}.")


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yields path and content of the data files of a project."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not NOT_DATA.match(name) and not DATABASE.search(name):
            yield name, path.read_bytes()


def _duckdb(database: DuckDbDatabase, folder: Path) -> Any:
    """Opens a DuckDB as dbt does in the project's folder, with the project's other databases attached."""
    import duckdb

    there = database.path.exists()
    connection = duckdb.connect(str(database.path) if there else ":memory:", read_only=there)
    connection.execute(f"set file_search_path = '{folder}'")
    for path in sorted(folder.glob("*.duckdb")):
        connection.execute(f"attach '{path}' as \"{path.stem}\" (read_only)")
    return connection


def _look_at_duckdb(database: DuckDbDatabase, folder: Path, outcome: Outcome) -> None:
    """Takes down what is in a DuckDB and in the other databases of the project."""
    import duckdb

    with _duckdb(database, folder) as connection:
        outcome.schemas = connection.execute(DUCKDB_SCHEMAS).fetchall()
        for catalog, schema, name, kind in connection.execute(DUCKDB_RELATIONS).fetchall():
            parts = [schema, name] if catalog == database.path.stem else [catalog, schema, name]
            quoted = ".".join(f'"{part}"' for part in (catalog, schema, name))
            relation: dict[str, Any] = {"kind": kind}
            try:
                relation["columns"] = connection.execute(f"describe {quoted}").fetchall()
                relation["rows"] = _sorted(connection.execute(f"select * from {quoted}").fetchall())
            except duckdb.Error as error:
                relation["unreadable"] = type(error).__name__
            outcome.relations[".".join(parts)] = relation


def _look_at_postgres(database: Database, outcome: Outcome) -> None:
    """Takes down what is in a database of PostgreSQL."""
    import psycopg2

    outcome.schemas = database.query(
        "select nspname, pg_get_userbyid(nspowner), nspacl::text from pg_namespace "
        "where nspname not like 'pg\\_%' and nspname <> 'information_schema' order by 1"
    )
    for schema, name, kind, owner, rights in database.query(POSTGRES_RELATIONS):
        full = f"{schema}.{name}"
        relation: dict[str, Any] = {"kind": kind, "owner": owner, "rights": rights}
        relation["columns"] = database.columns(full)
        try:
            relation["rows"] = _sorted(database.query(f"select * from {database.quoted(full)}"))
        except psycopg2.Error as error:
            relation["unreadable"] = type(error).__name__
        outcome.relations[full] = relation


def _sorted(rows: list[tuple[Any, ...]]) -> list[str]:
    """Returns rows as texts, sorted."""
    return sorted(repr(row) for row in rows)


def _short(value: Any) -> str:
    """Returns a value as a text that fits on a line."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def arguments(command: str) -> list[str]:
    """Returns the arguments of a command line."""
    return shlex.split(command)
