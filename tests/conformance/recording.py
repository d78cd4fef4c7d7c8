"""What a run is compared by: the outcome of each test, of each dbt command in it, and the database left."""

from __future__ import annotations

import functools
import hashlib
import re
from typing import Any

from dbt.cli.main import dbtRunner

# What two runs call differently: schemas (test17642...) and working relations, also cut short;
# temporary folders, addresses, times.
NOISE = (
    (
        re.compile(r"(test)?\d{9,}|(?<=\.\.\.)\d+(?=_)"),
        "#",
    ),  # of the schema, also where a message shortens it
    (re.compile(r"/tmp/[^\s'\",)]+"), "/tmp/#"),
    (re.compile(r"0x[0-9a-f]+"), "0x#"),
    (re.compile(r"\d\d:\d\d:\d\d(\.\d+)?"), "#time"),
    (re.compile(r"\bin \d+\.\d+s"), "in #s"),
    (re.compile(r"test_\d+\b"), "test_#"),
)
# Columns that no two runs have in common: keys that dbt makes of times, and what the suites' hooks write.
VOLATILE_COLUMNS = {"dbt_scd_id", "run_started_at", "invocation_id", "thread_id"}
VOLATILE_TYPES = ("timestamp", "time", "interval")

COLUMNS = {
    "duckdb": """
        select t.table_schema, t.table_name, t.table_type, c.column_name, c.data_type
        from information_schema.tables t
        left join information_schema.columns c using (table_catalog, table_schema, table_name)
        where lower(t.table_schema) like '{prefix}%'
        order by 1, 2, c.ordinal_position""",
    "postgres": """
        select n.nspname, c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod)
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where lower(n.nspname) like '{prefix}%' and c.relkind in ('r', 'p', 'v', 'm', 'f')
        order by 1, 2, a.attnum""",
}


class Recorder:
    """Records the tests of one run.

    Args:
        own_hooks: How the unique ids of the package's own hooks begin; dbt lists each hook among the results
            of a command, and these are taken out before a test counts them.
    """

    def __init__(self, own_hooks: str) -> None:
        self.own_hooks = own_hooks
        self._commands: list[dict[str, Any]] = []
        self._dropped: list[str] = []

    def watch_commands(self) -> None:
        """Records each command that goes through dbt's runner from now on."""
        invoke = dbtRunner.invoke

        @functools.wraps(invoke)
        def watched(runner: dbtRunner, args: list[str], **kwargs: Any) -> Any:
            self._dropped = []
            answer = invoke(runner, args, **kwargs)
            results = getattr(answer.result, "results", None)
            if isinstance(results, list):
                results[:] = [result for result in results if not self._is_own(result)]
            command: dict[str, Any] = {"command": args[0], "success": answer.success}
            if answer.exception is not None:
                command["exception"] = f"{type(answer.exception).__name__}: {quiet(str(answer.exception))}"
            if isinstance(results, list):
                command["results"] = sorted(filter(None, map(_line, results)))
            if self._dropped:
                command["dropped"] = self._dropped
            self._commands.append(command)
            return answer

        dbtRunner.invoke = watched

    def note_dropped(self, relation: str) -> None:
        """Notes a relation that was dropped before the running command."""
        self._dropped.append(quiet(relation))

    def phase(self, report: Any, project: Any) -> dict[str, Any]:
        """Returns what there is to record of one of the three phases of a test (setup, call, teardown)."""
        record: dict[str, Any] = {"outcome": report.outcome, "seconds": report.duration}
        if report.failed:
            record["outcome"] = "failed" if report.when == "call" else "error"
            crash = getattr(report.longrepr, "reprcrash", None)
            record["why"] = quiet((crash.message if crash else str(report.longrepr)).strip())[:600]
        elif report.skipped:
            record["why"] = quiet(str(report.longrepr[-1] if report.longrepr else ""))
        if report.when == "call" and project is not None:
            record["database"] = _database(project)
        if report.when == "teardown":
            record["commands"], self._commands = self._commands, []
        return record

    def _is_own(self, result: Any) -> bool:
        node = getattr(result, "node", None)
        return str(getattr(node, "unique_id", "")).startswith(self.own_hooks)


def quiet(text: str) -> str:
    """Returns a text without what differs between any two runs."""
    for pattern, replacement in NOISE:
        text = pattern.sub(replacement, text)
    return text


def _line(result: Any) -> str:
    """Returns one line for the result of a node, empty if it is none."""
    node = getattr(result, "node", None)
    if node is None:
        return ""
    parts = (node.unique_id, str(result.status), str(result.message), f"failures={result.failures}")
    return quiet(" | ".join(parts))


def _database(project: Any) -> dict[str, str] | str:
    """Returns kind, columns and a digest of the rows of each relation in the test's schemas."""
    prefix = project.test_schema.split("_")[0].lower()
    try:
        rows = project.run_sql(COLUMNS[project.adapter_type].format(prefix=prefix), fetch="all")
        relations: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        for schema, name, kind, column, data_type in rows:
            columns = relations.setdefault((schema, name, kind), [])
            if column is not None:
                columns.append((column, data_type.lower()))
        return {
            quiet(f"{schema}.{name}"): f"{kind} {_digest(project, schema, name, columns)}"
            for (schema, name, kind), columns in relations.items()
        }
    except Exception as error:
        return f"cannot be read: {type(error).__name__}"


def _digest(project: Any, schema: str, name: str, columns: list[tuple[str, str]]) -> str:
    """Returns columns, number of rows and a hash of the rows, without what differs between any two runs."""
    described = ", ".join(f"{column} {data_type}" for column, data_type in columns)
    stable = [
        f'cast("{column}" as text)'
        for column, data_type in columns
        if column.lower() not in VOLATILE_COLUMNS and not data_type.startswith(VOLATILE_TYPES)
    ]
    try:
        rows = project.run_sql(f'select {", ".join(stable) or "1"} from "{schema}"."{name}"', fetch="all")
    except Exception as error:
        return f"({described}) cannot be read: {type(error).__name__}"
    text = quiet("\n".join(sorted(str(tuple(row)) for row in rows)))
    return f"({described}) {len(rows)} rows {hashlib.sha256(text.encode()).hexdigest()[:12]}"
