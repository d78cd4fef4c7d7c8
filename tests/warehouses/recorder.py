"""Runs dbt with an adapter whose connection only records, for warehouses that no test can have.

recorder.py ADAPTER CATALOG.json OUT.json ARGUMENTS OF DBT ...

CATALOG.json is what "is" in the warehouse: a list of {database, schema, identifier, type}. To OUT.json goes
a list of [name of the connection, statement]; what enters dbt's cache is ["CACHE", relation]. Runs in the
environment of the adapter.
"""

from __future__ import annotations

import datetime
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import agate
from dbt.adapters.base.connections import BaseConnectionManager
from dbt.adapters.base.impl import BaseAdapter
from dbt.adapters.contracts.connection import AdapterResponse, ConnectionState
from dbt_common.clients.agate_helper import table_from_data_flat

# What every adapter does by other means than statements; each call of these methods is recorded.
CALLS = ("create_schema", "drop_schema", "drop_relation")
BEDS = Path(__file__).with_name("beds")
DAY = datetime.date(2000, 1, 1)
MOMENT = datetime.datetime.combine(DAY, datetime.time())
TYPED = {"i": 1, "n": 1.5, "d": DAY, "t": MOMENT, "b": True, "raw": "a", "txt": "a"}
NO_TRANSACTIONS = (
    "commit",
    "begin",
    "commit_if_has_connection",
    "add_begin_query",
    "add_commit_query",
    "rollback_if_open",
)


class Recorded:
    """A cursor or a handle: takes everything, and answers nothing."""

    rowcount = 0
    sfqid = query_id = query = "q"

    def __init__(self) -> None:
        self.description: list[Any] = []
        self.stats: dict[str, Any] = {}

    def cursor(self, *_: Any, **__: Any) -> Recorded:
        return self

    def fetchall(self) -> list[Any]:
        return []

    def fetchone(self) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class Recorder:
    """Puts itself in place of an adapter's connection.

    Args:
        kind: The adapter's name.
        catalog: What is in the warehouse.
    """

    def __init__(self, kind: str, catalog: list[dict[str, str]]) -> None:
        self.kind, self.catalog = kind, catalog
        bed = json.loads((BEDS / f"{kind}.json").read_text())
        self.calls = {**dict.fromkeys(CALLS, False), **bed.get("calls", {})}
        self.listing = bed.get("listing", {"pattern": "(?!)", "columns": []})
        self.log: list[tuple[str, str]] = []

    def replace(self) -> None:
        """Replaces the methods of the adapter and of its connection manager that reach the warehouse."""
        connections = importlib.import_module(f"dbt.adapters.{self.kind}.connections")
        adapters = importlib.import_module(f"dbt.adapters.{self.kind}.impl")
        manager = _own(connections, BaseConnectionManager)
        adapter = next(each for name, each in vars(adapters).items() if name.lower() == f"{self.kind}adapter")
        self._replace_manager(manager)
        self._replace_adapter(adapter)

    def _replace_manager(self, manager: Any) -> None:
        def opened(_: Any, connection: Any) -> Any:
            connection.handle, connection.state = Recorded(), ConnectionState.OPEN
            return connection

        def execute(this: Any, sql: str, *_: Any, **__: Any) -> tuple[Any, Any]:
            self._note(this, sql)
            return self._response(), self._answer(sql)

        def add_query(
            this: Any, sql: str, auto_begin: bool = True, bindings: Any = None, *_: Any, **__: Any
        ) -> Any:
            self._note(this, sql + ("" if bindings is None else f" -- {bindings}"))
            return this.get_thread_connection(), Recorded()

        manager.open, manager.execute, manager.add_query = classmethod(opened), execute, add_query
        for name in NO_TRANSACTIONS:
            setattr(manager, name, lambda *_, **__: None)

    def _replace_adapter(self, adapter: Any) -> None:
        def relations(this: Any, schema: Any, *_: Any, **__: Any) -> list[Any]:
            self._note(this.connections, f"<<list {schema.schema}>>")
            return [
                this.Relation.create(**entry)
                for entry in self.catalog
                if entry["schema"].lower() == str(schema.schema).lower()
            ]

        def columns(this: Any, sql: str, *_: Any, **__: Any) -> list[Any]:
            self._note(this.connections, f"<<schema of>> {sql}")
            return [this.Column("dbt_snapshot_time", "timestamp"), this.Column("x", "timestamp")]

        relations._is_available_ = columns._is_available_ = True  # type: ignore[attr-defined]
        adapter.list_relations_without_caching, adapter.get_column_schema_from_query = relations, columns
        schemas = {entry["schema"].lower() for entry in self.catalog}
        adapter.list_schemas = lambda *_, **__: sorted(schemas)
        adapter.check_schema_exists = lambda _, __, schema: schema.lower() in schemas
        for name in ("get_columns_in_relation", "get_missing_columns"):
            setattr(adapter, name, lambda *_, **__: [])
        for name in ("valid_snapshot_target", "expand_target_column_types"):
            setattr(adapter, name, lambda *_, **__: None)
        for name in self.calls:
            if hasattr(adapter, name):
                setattr(adapter, name, self._noted(name))
        if self.kind == "bigquery":  # its own asks a client for one table
            adapter.get_relation = BaseAdapter.get_relation
        cache_added = adapter.cache_added

        def noting(this: Any, relation: Any) -> Any:
            self.log.append(("CACHE", str(relation)))
            return cache_added(this, relation)

        noting._is_available_ = True  # type: ignore[attr-defined]
        adapter.cache_added = noting

    def _noted(self, name: str) -> Any:
        def call(this: Any, *values: Any, **options: Any) -> Any:
            shown = [
                [list(row) for row in each.rows] if isinstance(each, agate.Table) else str(each)[:2000]
                for each in values
            ]
            self._note(this.connections, f"<<{name} {shown} {sorted(options)}>>")
            return self.calls[name]

        call._is_available_ = True  # type: ignore[attr-defined]
        return call

    def _note(self, manager: Any, sql: str) -> None:
        self.log.append((manager.get_thread_connection().name, sql))

    def _answer(self, sql: str) -> Any:
        """Returns what is in a schema to dbt's listing, typed values to the seed reader, else nothing."""
        if "as i, 1.5 as n" in sql:
            return table_from_data_flat([TYPED], list(TYPED))
        columns = self.listing["columns"]
        asked = re.search(self.listing["pattern"], " ".join(sql.split()), re.IGNORECASE)
        if asked is None:
            return agate.Table([], [])
        rows = [
            dict(zip(columns, (entry["identifier"], entry["type"]), strict=True))
            for entry in self.catalog
            if entry["schema"].lower() == asked[1].lower()
        ]
        return table_from_data_flat(rows, columns)

    def _response(self) -> Any:
        if self.kind == "bigquery":
            from dbt.adapters.bigquery.connections import BigQueryAdapterResponse

            return BigQueryAdapterResponse(_message="OK", rows_affected=0)
        return AdapterResponse(_message="OK", rows_affected=0)


def _own(module: Any, base: type) -> Any:
    """Returns the class that a module itself makes from a base class, the last if there are several."""
    classes = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, base)]
    return [each for each in classes if each.__module__ == module.__name__][-1]


def main() -> int:
    """Runs dbt, writes what was recorded and returns dbt's exit code."""
    kind, catalog, out, *arguments = sys.argv[1:]
    recorder = Recorder(kind, json.loads(Path(catalog).read_text()))
    recorder.replace()
    from dbt.cli.main import dbtRunner

    try:
        result = dbtRunner().invoke(arguments)
    finally:
        Path(out).write_text(json.dumps(recorder.log))
    if result.exception:
        print(result.exception, file=sys.stderr)
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
