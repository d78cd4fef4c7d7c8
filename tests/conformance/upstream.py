"""Drops, before a dbt command starts, what the command reads and does not select.

Only what healing can make again as it was is dropped: a table, view, materialized view or seed that dbt
built in an earlier command of the test, whose code and rows have not changed since, nor those of anything
that it reads. A snapshot or an incremental model may hold rows that its sources no longer have.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbt.task.run import RunTask

if TYPE_CHECKING:
    from conformance.recording import Recorder

STATELESS = {"table", "view", "seed", "materialized_view"}
WITH_ROWS = {"model", "seed", "snapshot"}


@dataclass(frozen=True)
class Built:
    """How a command left the relation of a node.

    Args:
        command: Which command it was; later ones have greater numbers.
        code: The checksum of the node's file.
        rows: A digest of the relation's rows.
    """

    command: int
    code: str
    rows: str


class Upstream:
    """Knows what dbt built, and drops of it what the next command reads.

    Args:
        recorder: Is told what was dropped.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._built: dict[str, Built] = {}
        self._commands = 0

    def watch_commands(self) -> None:
        """Makes every command that runs the project's hooks start without its unselected parents.

        dbt itself has worked out by then what is selected, and has not looked into the database yet.
        """
        before_run, after_run = RunTask.before_run, RunTask.after_run

        @functools.wraps(before_run)
        def dropping(task: RunTask, adapter: Any, selected_uids: Set[str]) -> Any:
            with adapter.connection_named("conformance"):
                for relation in _drop(adapter, self._droppable(task.manifest, adapter, selected_uids)):
                    self.recorder.note_dropped(relation)
            return before_run(task, adapter, selected_uids)

        @functools.wraps(after_run)
        def noting(task: RunTask, adapter: Any, results: list[Any]) -> Any:
            answer = after_run(task, adapter, results)
            with adapter.connection_named("conformance"):
                self._note(adapter, results)
            return answer

        RunTask.before_run, RunTask.after_run = dropping, noting

    def _note(self, adapter: Any, results: list[Any]) -> None:
        """Notes what a command has built."""
        self._commands += 1
        for result in results:
            node = getattr(result, "node", None)
            if node is None or node.resource_type not in WITH_ROWS or result.status != "success":
                continue
            rows = _rows(adapter, node)
            if rows:
                self._built[_name(node)] = Built(self._commands, node.checksum.checksum, rows)

    def _droppable(self, manifest: Any, adapter: Any, selected: Set[str]) -> list[Any]:
        """Returns the unselected parents of what is selected that can be made again as they are."""
        parents = [manifest.nodes[uid] for uid in sorted(_parents(manifest, selected) - set(selected))]
        return [
            parent
            for parent in parents
            if parent.config.materialized in STATELESS and self._as_built(manifest, adapter, parent)
        ]

    def _as_built(self, manifest: Any, adapter: Any, node: Any) -> bool:
        """Tells whether a node and all that it reads are as dbt built them, one after the other."""
        built = self._built.get(_name(node))
        if built is None or built.code != node.checksum.checksum or built.rows != _rows(adapter, node):
            return False
        parents = [manifest.nodes[uid] for uid in _parents(manifest, {node.unique_id})]
        return all(
            self._as_built(manifest, adapter, parent) and self._built[_name(parent)].command <= built.command
            for parent in parents
        )


def _parents(manifest: Any, uids: Set[str]) -> set[str]:
    """Returns the nodes whose relations these nodes read, also through ephemeral models."""
    found: set[str] = set()
    to_visit = list(uids)
    while to_visit:
        uid = to_visit.pop()
        if uid in manifest.unit_tests:  # it reads what the model that it tests reads
            to_visit += manifest.unit_tests[uid].depends_on.nodes
            continue
        node = manifest.nodes.get(uid)
        for parent in node.depends_on_nodes if node is not None else ():
            if parent in manifest.nodes and parent not in found:
                ephemeral = manifest.nodes[parent].config.materialized == "ephemeral"
                (to_visit.append if ephemeral else found.add)(parent)
    return found


def _name(node: Any) -> str:
    return f"{node.database}.{node.schema}.{node.alias}".lower()


def _rows(adapter: Any, node: Any) -> str:
    """Returns a digest of columns and rows of a node's relation, an empty text if it cannot be read."""
    _, name = _existing(adapter, node)
    columns: tuple[str, ...] = ()
    rows: list[tuple[Any, ...]] | None = None
    try:
        if name:
            columns, rows = _table(adapter, f"select * from {name}")
    except Exception:
        adapter.connections.rollback_if_open()
    if rows is None:
        return ""
    text = "\n".join([str(columns), *sorted(map(str, rows))])
    return hashlib.sha256(text.encode()).hexdigest()


def _drop(adapter: Any, nodes: list[Any]) -> Iterator[str]:
    """Drops what exists of these nodes, dependents first, and yields the name of each; never with cascade."""
    waiting = list(nodes)
    progress = True
    while waiting and progress:
        progress = False
        for node in list(waiting):
            kind, name = _existing(adapter, node)
            if kind == "":
                waiting.remove(node)
            elif _try(adapter, f"drop {kind} {name}"):
                waiting.remove(node)
                progress = True
                yield f"{kind} {name}"


def _existing(adapter: Any, node: Any) -> tuple[str, str]:
    """Returns kind and quoted name of the relation of a node, two empty texts if there is none."""
    database, schema, name = (
        str(part).lower().replace("'", "''") for part in (node.database, node.schema, node.alias)
    )
    found = _query(
        adapter,
        "select table_catalog, table_schema, table_name, table_type from information_schema.tables "
        f"where lower(table_catalog) = '{database}' and lower(table_schema) = '{schema}' "
        f"and lower(table_name) = '{name}'",
    )
    if not found and adapter.type() == "postgres":
        found = _query(
            adapter,
            "select current_database(), schemaname, matviewname, 'materialized view' from pg_matviews "
            f"where lower(schemaname) = '{schema}' and lower(matviewname) = '{name}'",
        )
    if not found:
        return "", ""
    *parts, kind = found[0]
    words = {"BASE TABLE": "table", "VIEW": "view"}
    return words.get(kind, kind.lower()), ".".join(f'"{part}"' for part in parts)


def _query(adapter: Any, sql: str) -> list[tuple[Any, ...]]:
    """Returns the rows of a query, in a transaction of its own."""
    return _table(adapter, sql)[1]


def _table(adapter: Any, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Returns the names of the columns and the rows of a query, in a transaction of its own."""
    _, table = adapter.execute(sql, auto_begin=True, fetch=True)
    adapter.connections.commit()
    return table.column_names, [tuple(row) for row in table.rows]


def _try(adapter: Any, statement: str) -> bool:
    """Executes a statement in a transaction of its own and tells whether it succeeded."""
    try:
        adapter.execute(statement, auto_begin=True)
        adapter.connections.commit()
    except Exception:
        adapter.connections.rollback_if_open()
        return False
    return True
