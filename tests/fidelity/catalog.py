"""Read what a database says about its own relations, and compare two such readings.

Nothing here knows dbt: the facts come from the database's catalog, so that a relation which a healing
run made can be held against one which a plain ``dbt build`` made, and every difference that a reader of
the database could notice shows.

    left = snapshot("duckdb", {"path": "left/testbed.duckdb"})
    right = snapshot("duckdb", {"path": "right/testbed.duckdb"})
    for difference in differences(left, right):
        print(difference)

From a shell: ``python tests/fidelity/catalog.py left.duckdb right.duckdb``.
"""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Cell = str | None
Row = tuple[Cell, ...]
Snapshot = dict[str, "Facts"]

#: Above this many rows a relation keeps one digest per column and one of all rows, not the rows.
KEEP_ROWS = 20_000
#: dbt names an index after the time of the run (the MD5 of columns, relation and now).
_RANDOM_INDEX_NAME = re.compile(r'"?\b[0-9a-f]{32}\b"?')
#: Facts that are tuples of independent entries, compared as multisets.
_SETS = ("constraints", "indexes", "grants", "dependents")
_SCALARS = ("kind", "comment", "owner", "persistence", "partitioning", "definition", "row_count", "error")


@dataclass(frozen=True)
class Column:
    """One column as the catalog describes it."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    comment: str | None = None
    #: generated, identity, collation, enum values: whatever else the database knows of a column
    extra: str | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that a reader of the database can find out about one relation.

    ``rows`` is the sorted multiset of the rows, each cell as the database prints it and NULL as None;
    it is None for a relation too large to keep, and ``digests`` then stands for it: one digest per column
    (sorted values), and under the empty name the digest of all rows.
    """

    name: str
    kind: str
    columns: tuple[Column, ...] = ()
    row_count: int | None = None
    rows: tuple[Row, ...] | None = None
    digests: tuple[tuple[str, str], ...] = ()
    constraints: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    #: triggers, rules, owned sequences
    dependents: tuple[str, ...] = ()
    comment: str | None = None
    owner: str | None = None
    persistence: str | None = None
    partitioning: str | None = None
    definition: str | None = None
    #: what the database said when the relation was read (a view over a dropped table)
    error: str | None = None


@dataclass(frozen=True)
class Difference:
    """One fact in which two databases disagree, with both sides."""

    relation: str
    fact: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.relation}: {self.fact}\n    left:  {self.left}\n    right: {self.right}"


@dataclass(frozen=True)
class Ignore:
    """What is allowed to differ, and why.

    ``relation`` is a shell pattern over names (``*.snap_check*``). Without ``columns`` and ``facts`` the
    whole relation is left out; ``columns`` leaves out the values (never the type) of the named columns,
    ``facts`` leaves out whole facts (``definition``, ``indexes``, ``rows``).
    """

    relation: str
    reason: str
    columns: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class SparkLike(Protocol):
    """The part of a ``SparkSession`` that ``snapshot_spark`` needs."""

    def sql(self, sqlQuery: str) -> Any: ...  # noqa: N803 (pyspark's own name)


# ---------------------------------------------------------------------------------------------- reading


def snapshot(adapter: str, connection_args: Mapping[str, Any]) -> Snapshot:
    """Read every relation of one database.

    ``connection_args``:
      duckdb    ``path``; optional ``attach`` (name -> path of further databases), ``catalog`` (the name under
                which the file is opened; default: the file's stem, as views need it)
      postgres  what ``psycopg2.connect`` takes
      sqlite    ``path``; optional ``attach`` (schema name -> path)
    and for all: ``schemas`` (read only these), ``replace`` (text -> text, put into definitions, defaults and
    rows: the directory that two builds do not share), ``keep_rows``.

    Returns facts by ``schema.relation`` (``database.schema.relation`` outside the main database); functions,
    sequences and types are named ``function schema.name(...)`` and so on. Raises ValueError for an adapter
    that has no reader.
    """
    readers: dict[str, Callable[[Mapping[str, Any]], Iterable[Facts]]] = {
        "duckdb": _read_duckdb,
        "postgres": _read_postgres,
        "sqlite": _read_sqlite,
    }
    if adapter not in readers:
        raise ValueError(
            f"no catalog reader for adapter {adapter!r}; there are: {', '.join(sorted(readers))}"
        )
    return _finish(readers[adapter](connection_args), dict(connection_args.get("replace", {})))


def snapshot_spark(session: SparkLike, schemas: Sequence[str], keep_rows: int = KEEP_ROWS) -> Snapshot:
    """Read the named schemas of a Spark session: kind, columns, comments, properties, rows, definition."""
    found: list[Facts] = []
    for schema in schemas:
        for entry in session.sql(f"show tables in `{schema}`").collect():
            if entry["isTemporary"]:
                continue
            relation = f"`{schema}`.`{entry['tableName']}`"
            described = session.sql(f"describe table extended {relation}").collect()
            columns, details = _spark_description(described)
            select = ", ".join(f"cast(`{column.name}` as string)" for column in columns)
            rows = [tuple(row) for row in session.sql(f"select {select} from {relation}").collect()]
            found.append(
                _with_rows(
                    Facts(
                        name=f"{schema}.{entry['tableName']}",
                        kind=details.get("Type", "table").lower() + " " + details.get("Provider", "").lower(),
                        columns=tuple(columns),
                        comment=details.get("Comment"),
                        owner=details.get("Owner"),
                        partitioning=details.get("Partition Columns"),
                        definition=details.get("View Text"),
                    ),
                    rows,
                    keep_rows,
                )
            )
    return _finish(found, {})


def _spark_description(described: Iterable[Any]) -> tuple[list[Column], dict[str, str]]:
    """Split the answer of ``describe table extended`` into columns and the details under them."""
    columns: list[Column] = []
    details: dict[str, str] = {}
    partitions: list[str] = []
    part = "columns"
    for name, data_type, comment in described:
        if name.startswith("# Partition"):
            part = "partitions"
        elif name.startswith("# Detailed"):
            part = "details"
        elif not name or name.startswith("#"):
            continue
        elif part == "columns":
            columns.append(Column(name=name, type=data_type, comment=comment))
        elif part == "partitions":
            partitions.append(name)
        else:
            details[name] = data_type
    if partitions:
        details["Partition Columns"] = ", ".join(partitions)
    return columns, details


def _finish(found: Iterable[Facts], replace: Mapping[str, str]) -> Snapshot:
    """Put the replacements into every text and key the facts by name."""

    def clean(text: str | None) -> str | None:
        if text is not None:
            for old, new in replace.items():
                text = text.replace(old, new)
        return text

    result: Snapshot = {}
    for facts in found:
        if replace:
            facts = dataclasses.replace(
                facts,
                definition=clean(facts.definition),
                error=clean(facts.error),
                columns=tuple(dataclasses.replace(c, default=clean(c.default)) for c in facts.columns),
                rows=None if facts.rows is None else _sorted(tuple(map(clean, row)) for row in facts.rows),
            )
        result[facts.name] = facts
    return dict(sorted(result.items()))


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: [(cell is None, cell or "") for cell in row]))


def _digest(rows: Iterable[Row]) -> str:
    total = hashlib.sha256()
    for row in rows:
        total.update(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
    return total.hexdigest()


def _with_rows(facts: Facts, rows: Iterable[Row], keep_rows: int) -> Facts:
    ordered = _sorted(rows)
    if len(ordered) <= keep_rows:
        return dataclasses.replace(facts, row_count=len(ordered), rows=ordered)
    digests = [("", _digest(ordered))]
    for position, column in enumerate(facts.columns):
        digests.append((column.name, _digest(_sorted((row[position],) for row in ordered))))
    return dataclasses.replace(facts, row_count=len(ordered), digests=tuple(digests))


def _quote(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _keep(args: Mapping[str, Any]) -> int:
    return int(args.get("keep_rows", KEEP_ROWS))


# ----------------------------------------------------------------------------------------------- DuckDB


def _read_duckdb(args: Mapping[str, Any]) -> Iterable[Facts]:
    import duckdb

    path = Path(args["path"])
    main = str(args.get("catalog", path.stem))
    attached = {str(name): Path(where) for name, where in dict(args.get("attach", {})).items()}
    connection = duckdb.connect(":memory:")
    try:
        for name, where in {main: path, **attached}.items():
            location = str(where).replace("'", "''")
            connection.execute(f"attach '{location}' as {_quote(name)} (read_only)")
        connection.execute(f"use {_quote(main)}")
        yield from _DuckDB(connection, main, [main, *attached], args).read()
    finally:
        connection.close()


@dataclass
class _DuckDB:
    connection: Any
    main: str
    databases: list[str]
    args: Mapping[str, Any]
    _columns: dict[tuple[str, ...], list[Column]] = field(default_factory=dict)
    _constraints: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    _indexes: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        result: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
        return result

    def read(self) -> Iterable[Facts]:
        self._load_columns()
        self._load_constraints()
        self._load_indexes()
        only = self.args.get("schemas")
        for database, schema, name, kind, comment, tags, sql in self.query(
            """select database_name, schema_name, table_name,
                      case when temporary then 'temporary table' else 'table' end,
                      comment, tags::varchar, null
                 from duckdb_tables() where not internal
                union all
               select database_name, schema_name, view_name, 'view', comment, tags::varchar, sql
                 from duckdb_views() where not internal"""
        ):
            if database not in self.databases or (only is not None and schema not in only):
                continue
            key = (database, schema, name)
            facts = Facts(
                name=self.name(*key),
                kind=kind,
                columns=tuple(self._columns.get(key, ())),
                constraints=tuple(sorted(self._constraints.get(key, ()))),
                indexes=tuple(sorted(self._indexes.get(key, ()))),
                comment=comment,
                persistence=None if tags in (None, "{}") else tags,
                definition=self.text(sql),
            )
            yield self.rows(facts, key)
        yield from self._others()

    def name(self, database: str, schema: str, name: str) -> str:
        return f"{schema}.{name}" if database == self.main else f"{database}.{schema}.{name}"

    def text(self, sql: str | None) -> str | None:
        """A definition without the name of the database's file and with one kind of white space."""
        if sql is None:
            return None
        own = re.escape(self.main)
        return re.sub(rf'(?<![\w".])(?:"{own}"|{own})\.(?=["\w])', "<database>.", " ".join(sql.split()))

    def rows(self, facts: Facts, key: tuple[str, str, str]) -> Facts:
        select = ", ".join(f"{_quote(column.name)}::varchar" for column in facts.columns)
        try:
            rows = self.query(f"select {select} from {_quote(*key)}")
        except (
            Exception
        ) as error:  # a view over something that is gone must show as a fact, not stop the reading
            return dataclasses.replace(facts, error=str(error).splitlines()[0])
        return _with_rows(facts, rows, _keep(self.args))

    def _load_columns(self) -> None:
        known = {row[0] for row in self.query("describe select * from duckdb_columns()")}
        # told apart from a default only by newer DuckDB
        generated_as = "generation_expression" if "generation_expression" in known else "null"
        for *key, name, data_type, nullable, default, comment, generated in self.query(
            f"""select database_name, schema_name, table_name, column_name, data_type, is_nullable,
                      column_default, comment, {generated_as}
                 from duckdb_columns() where not internal
                order by database_name, schema_name, table_name, column_index"""
        ):
            column = Column(
                name=name,
                type=data_type,
                nullable=nullable,
                default=default,
                comment=comment,
                extra=f"generated as {generated}" if generated else None,
            )
            self._columns.setdefault(tuple(key), []).append(column)

    def _load_constraints(self) -> None:
        for *key, text, name in self.query(
            """select database_name, schema_name, table_name, constraint_text, constraint_name
                 from duckdb_constraints()"""
        ):
            self._constraints.setdefault(tuple(key), []).append(f"{text} [{name}]")

    def _load_indexes(self) -> None:
        for *key, name, unique, expressions, comment in self.query(
            """select database_name, schema_name, table_name, index_name, is_unique, expressions, comment
                 from duckdb_indexes()"""
        ):
            text = f"{'unique ' if unique else ''}index {name} on {expressions}"
            if comment:
                text += f" -- {comment}"
            self._indexes.setdefault(tuple(key), []).append(_RANDOM_INDEX_NAME.sub("<time of the run>", text))

    def _others(self) -> Iterable[Facts]:
        """Sequences, macros and user types."""
        statements = {
            "sequence": """select database_name, schema_name, sequence_name, sequence_name,
                concat_ws(' ', start_value, min_value, max_value, increment_by, cycle, last_value), comment
                from duckdb_sequences() where not temporary""",
            "function": """select database_name, schema_name, function_name,
                function_name || '(' || array_to_string(parameters, ', ') || ')',
                concat_ws(' ', function_type, parameter_types, macro_definition), comment
                from duckdb_functions() where not internal""",
            "type": """select database_name, schema_name, type_name, type_name,
                concat_ws(' ', logical_type, labels), comment
                from duckdb_types() where not internal""",
        }
        only = self.args.get("schemas")
        for kind, sql in statements.items():
            for database, schema, _, shown, definition, comment in self.query(sql):
                if database in self.databases and (only is None or schema in only):
                    yield Facts(
                        name=f"{kind} {self.name(database, schema, shown)}",
                        kind=kind,
                        definition=self.text(definition),
                        comment=comment,
                    )


# ------------------------------------------------------------------------------------------- PostgreSQL

_PG_KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "S": "sequence",
}
_PG_PERSISTENCE = {"p": "permanent", "u": "unlogged", "t": "temporary"}
_PG_USER_SCHEMA = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"

_PG_RELATIONS = f"""
select c.oid, n.nspname, c.relname, c.relkind::text, c.relpersistence::text, pg_get_userbyid(c.relowner),
       obj_description(c.oid, 'pg_class'),
       concat_ws('; ', pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid),
                 (select 'inherits ' || string_agg(inhparent::regclass::text, ',' order by inhseqno)
                    from pg_inherits where inhrelid = c.oid),
                 'options ' || c.reloptions::text, 'access method ' || am.amname,
                 case when c.relkind = 'm' and not c.relispopulated then 'not populated' end),
       case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
       (select array_agg(coalesce(r.rolname, 'public') || ': ' || a.privilege_type
                         || case when a.is_grantable then ' with grant option' else '' end)
          from aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
          left join pg_roles r on r.oid = a.grantee)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_am am on am.oid = c.relam
 where c.relkind in ('r', 'p', 'v', 'm', 'f') and {_PG_USER_SCHEMA}
"""
_PG_COLUMNS = f"""
select a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum),
       nullif(concat_ws(' ', 'identity ' || nullif(a.attidentity::text, ''),
                        'generated ' || nullif(a.attgenerated::text, ''),
                        (select 'collate ' || collname from pg_collation
                          where oid = a.attcollation and collname <> 'default'),
                        'grants ' || a.attacl::text), '')
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attnum > 0 and not a.attisdropped and {_PG_USER_SCHEMA}
 order by a.attrelid, a.attnum
"""
# Since PostgreSQL 18 not-null constraints are entries of their own (contype n), named after the column.
_PG_CONSTRAINTS = """
select conrelid, pg_get_constraintdef(oid) || ' [' || conname || ']'
       || case when convalidated then '' else ' not validated' end
  from pg_constraint where conrelid <> 0
"""
_PG_INDEXES = """
select indrelid, pg_get_indexdef(indexrelid) || case when indisvalid then '' else ' invalid' end
       || case when indisclustered then ' clustered' else '' end
  from pg_index
"""
_PG_DEPENDENTS = """
select tgrelid, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all
select ev_class, pg_get_ruledef(oid) from pg_rewrite where rulename <> '_RETURN'
union all
select d.refobjid, 'sequence ' || d.objid::regclass::text
  from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
 where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
"""
_PG_OTHERS = {
    "function": f"""
        select n.nspname, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
               case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else p.prokind::text end,
               obj_description(p.oid, 'pg_proc'), pg_get_userbyid(p.proowner), p.proacl::text[]
          from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {_PG_USER_SCHEMA}""",
    "sequence": f"""
        select n.nspname, c.relname,
               concat_ws(' ', s.data_type, s.start_value, s.min_value, s.max_value, s.increment_by, s.cycle,
                         s.last_value),
               obj_description(c.oid, 'pg_class'), pg_get_userbyid(c.relowner), c.relacl::text[]
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
          join pg_sequences s on s.schemaname = n.nspname and s.sequencename = c.relname
         where c.relkind = 'S' and {_PG_USER_SCHEMA}""",
    "type": f"""
        select n.nspname, t.typname,
               concat_ws(' ', t.typtype, format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typdefault,
                         (select string_agg(e.enumlabel, ', ' order by e.enumsortorder)
                            from pg_enum e where e.enumtypid = t.oid)),
               obj_description(t.oid, 'pg_type'), pg_get_userbyid(t.typowner), t.typacl::text[]
          from pg_type t join pg_namespace n on n.oid = t.typnamespace
         where t.typtype in ('e', 'd', 'r') and {_PG_USER_SCHEMA}""",
}


def _read_postgres(args: Mapping[str, Any]) -> Iterable[Facts]:
    import psycopg2

    own = {"schemas", "replace", "keep_rows"}
    connection = psycopg2.connect(**{key: value for key, value in args.items() if key not in own})
    try:
        connection.set_session(readonly=True, autocommit=True)
        yield from _Postgres(connection, args).read()
    finally:
        connection.close()


@dataclass
class _Postgres:
    connection: Any
    args: Mapping[str, Any]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            result: list[tuple[Any, ...]] = cursor.fetchall()
            return result

    def grouped(self, sql: str) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for oid, text in self.query(sql):
            found.setdefault(oid, []).append(text)
        return found

    def read(self) -> Iterable[Facts]:
        only = self.args.get("schemas")
        columns: dict[int, list[Column]] = {}
        for oid, *values in self.query(_PG_COLUMNS):
            columns.setdefault(oid, []).append(Column(*values))
        constraints = self.grouped(_PG_CONSTRAINTS)
        indexes = self.grouped(_PG_INDEXES)
        dependents = self.grouped(_PG_DEPENDENTS)
        for (
            oid,
            schema,
            name,
            kind,
            persistence,
            owner,
            comment,
            partitioning,
            definition,
            grants,
        ) in self.query(_PG_RELATIONS):
            if only is not None and schema not in only:
                continue
            facts = Facts(
                name=f"{schema}.{name}",
                kind=_PG_KINDS[kind],
                columns=tuple(columns.get(oid, ())),
                constraints=tuple(sorted(constraints.get(oid, ()))),
                indexes=tuple(
                    sorted(_RANDOM_INDEX_NAME.sub("<time of the run>", text) for text in indexes.get(oid, ()))
                ),
                grants=tuple(sorted(grants or ())),
                dependents=tuple(sorted(dependents.get(oid, ()))),
                comment=comment,
                owner=owner,
                persistence=_PG_PERSISTENCE[persistence],
                partitioning=partitioning or None,
                definition=None if definition is None else " ".join(definition.split()),
            )
            yield self.rows(facts, (schema, name))
        yield from self._others()

    def rows(self, facts: Facts, key: tuple[str, str]) -> Facts:
        select = ", ".join(f"{_quote(column.name)}::text" for column in facts.columns)
        try:
            rows = self.query(f"select {select} from {_quote(*key)}")
        except Exception as error:  # see _DuckDB.rows
            return dataclasses.replace(facts, error=str(error).splitlines()[0])
        return _with_rows(facts, rows, _keep(self.args))

    def _others(self) -> Iterable[Facts]:
        only = self.args.get("schemas")
        for kind, sql in _PG_OTHERS.items():
            for schema, name, definition, comment, owner, grants in self.query(sql):
                if only is None or schema in only:
                    yield Facts(
                        name=f"{kind} {schema}.{name}",
                        kind=kind,
                        definition=" ".join(definition.split()),
                        comment=comment,
                        owner=owner,
                        grants=tuple(sorted(grants or ())),
                    )


# ----------------------------------------------------------------------------------------------- SQLite


def _read_sqlite(args: Mapping[str, Any]) -> Iterable[Facts]:
    import sqlite3

    connection = sqlite3.connect(f"{Path(args['path']).resolve().as_uri()}?mode=ro", uri=True)
    schemas = {"main": args["path"], **dict(args.get("attach", {}))}
    only = args.get("schemas")
    try:
        for schema, path in schemas.items():
            if schema != "main":
                connection.execute(
                    f"attach ? as {_quote(schema)}", (Path(path).resolve().as_uri() + "?mode=ro",)
                )
        for schema in schemas:
            if only is None or schema in only:
                yield from _sqlite_schema(connection, schema, _keep(args))
    finally:
        connection.close()


def _sqlite_schema(connection: Any, schema: str, keep_rows: int) -> Iterable[Facts]:
    def pragma(name: str, argument: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = connection.execute(
            f"pragma {_quote(schema)}.{name}({_quote(argument)})"
        ).fetchall()
        return found

    master = connection.execute(
        f"select type, name, tbl_name, sql from {_quote(schema)}.sqlite_master where name not like 'sqlite_%'"
    ).fetchall()
    for kind, name, _, sql in master:
        if kind not in ("table", "view"):
            continue
        info = pragma("table_xinfo", name)
        primary = [row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]]
        constraints = [f"primary key ({', '.join(primary)})"] if primary else []
        for _, _, table, source, target, on_update, on_delete, *_ in pragma("foreign_key_list", name):
            constraints.append(
                f"foreign key ({source}) references {table} ({target}) {on_update} {on_delete}"
            )
        indexes = []
        for _, index, unique, origin, partial in pragma("index_list", name):
            of = ", ".join(str(row[2]) for row in pragma("index_info", index))
            text = f"{'unique ' if unique else ''}index {index} ({of}) origin {origin} partial {partial}"
            indexes.append(_RANDOM_INDEX_NAME.sub("<time of the run>", text))
        columns = tuple(
            Column(
                name=row[1],
                type=row[2],
                nullable=not row[3],
                default=row[4],
                extra=f"hidden {row[6]}" if row[6] else None,
            )
            for row in info
        )
        facts = Facts(
            name=f"{schema}.{name}",
            kind=kind,
            columns=columns,
            constraints=tuple(sorted(constraints)),
            indexes=tuple(sorted(indexes)),
            dependents=tuple(
                sorted(" ".join(row[3].split()) for row in master if row[0] == "trigger" and row[2] == name)
            ),
            definition=" ".join(sql.split()) if sql else None,
        )
        # SQLite's types belong to values: quote() tells 1 from '1' and NULL from ''.
        select = ", ".join(f"nullif(quote({_quote(column.name)}), 'NULL')" for column in columns)
        try:
            rows = connection.execute(f"select {select} from {_quote(schema, name)}").fetchall()
        except Exception as error:  # see _DuckDB.rows
            yield dataclasses.replace(facts, error=str(error))
        else:
            yield _with_rows(facts, rows, keep_rows)


# -------------------------------------------------------------------------------------------- comparing


def differences(
    a: Mapping[str, Facts], b: Mapping[str, Facts], ignore: Sequence[Ignore] = (), partial: bool = False
) -> list[Difference]:
    """Every fact in which the two snapshots disagree, in the order of the relations' names.

    ``ignore`` lists what may differ. With ``partial`` a relation of ``a`` may be absent from ``b`` (a healing
    run builds only what one command needs); what ``b`` has and ``a`` has not is a difference all the same.
    """
    found: list[Difference] = []
    for name in sorted({*a, *b}):
        rules = [rule for rule in ignore if fnmatch.fnmatchcase(name, rule.relation)]
        if any(not rule.columns and not rule.facts for rule in rules):
            continue
        left, right = a.get(name), b.get(name)
        if left is None or right is None:
            if not (partial and right is None):
                found.append(Difference(name, "existence", _existence(left), _existence(right)))
            continue
        columns = {column for rule in rules for column in rule.columns}
        facts = {fact for rule in rules for fact in rule.facts}
        found.extend(_relation_differences(left, right, columns, facts))
    return found


def compared(a: Mapping[str, Facts], b: Mapping[str, Facts], partial: bool = False) -> int:
    """How many relations ``differences`` looks at: those of either side, or of both if ``partial``."""
    return len({*a} & {*b}) if partial else len({*a} | {*b})


def _existence(facts: Facts | None) -> str:
    return "does not exist" if facts is None else f"exists ({facts.kind})"


def _show(value: object) -> str:
    if value is None:
        return "(none)"
    return "(empty text)" if value == "" else str(value)


def _relation_differences(
    left: Facts, right: Facts, columns: set[str], skipped: set[str]
) -> Iterable[Difference]:
    name = left.name
    for fact in _SCALARS:
        one, two = getattr(left, fact), getattr(right, fact)
        if fact not in skipped and one != two:
            yield Difference(name, fact, _show(one), _show(two))
    for fact in _SETS:
        if fact in skipped:
            continue
        one, two = Counter(getattr(left, fact)), Counter(getattr(right, fact))
        if one != two:
            yield Difference(name, fact, _only(one - two), _only(two - one))
    if "columns" not in skipped:
        yield from _column_differences(left, right)
    if "rows" not in skipped and left.row_count == right.row_count:
        yield from _row_differences(left, right, columns)


def _only(entries: Counter[str]) -> str:
    return (
        "only here: " + "; ".join(sorted(entries.elements()))
        if entries
        else "nothing that the other side lacks"
    )


def _column_differences(left: Facts, right: Facts) -> Iterable[Difference]:
    one = [column.name for column in left.columns]
    two = [column.name for column in right.columns]
    if one != two:
        yield Difference(left.name, "columns", ", ".join(one), ", ".join(two))
    others = {column.name: column for column in right.columns}
    for column in left.columns:
        other = others.get(column.name)
        if other is None:
            continue
        for part in ("type", "nullable", "default", "comment", "extra"):
            if getattr(column, part) != getattr(other, part):
                fact = f"column {column.name}: {part}"
                yield Difference(left.name, fact, _show(getattr(column, part)), _show(getattr(other, part)))


def _row_differences(left: Facts, right: Facts, skipped: set[str]) -> Iterable[Difference]:
    one, two = _comparable(left, skipped), _comparable(right, skipped)
    if left.rows is None or right.rows is None:
        if one != two:
            yield Difference(left.name, "rows", f"digests {one}", f"digests {two}")
        return
    counted_one, counted_two = Counter(one), Counter(two)
    if counted_one != counted_two:
        yield Difference(
            left.name, "rows", _sample(counted_one - counted_two), _sample(counted_two - counted_one)
        )


def _comparable(facts: Facts, skipped: set[str]) -> Sequence[tuple[Cell, ...]]:
    """The rows, or the digests that stand for them, without the columns that may differ."""
    if facts.rows is None:
        # the digest of whole rows covers the skipped columns too, so it counts only when none is skipped
        hidden = {*skipped, ""} if skipped else set()
        return [entry for entry in facts.digests if entry[0] not in hidden]
    kept = [position for position, column in enumerate(facts.columns) if column.name not in skipped]
    return [tuple(row[position] for position in kept) for row in facts.rows]


def _sample(rows: Counter[tuple[Cell, ...]], shown: int = 3) -> str:
    if not rows:
        return "no row that the other side lacks"
    texts = [
        "(" + ", ".join("NULL" if cell is None else repr(cell) for cell in row) + ")"
        for row in _sorted(rows.elements())
    ]
    more = f" and {len(texts) - shown} more" if len(texts) > shown else ""
    return f"{len(texts)} row(s) only here: " + " ".join(texts[:shown]) + more


# ------------------------------------------------------------------------------------ keeping and the CLI


def save(facts: Mapping[str, Facts], path: Path) -> None:
    """Write a snapshot as JSON."""
    path.write_text(
        json.dumps({name: dataclasses.asdict(entry) for name, entry in facts.items()}, ensure_ascii=False)
    )


def load(path: Path) -> Snapshot:
    """Read a snapshot that ``save`` wrote."""
    result: Snapshot = {}
    for name, entry in json.loads(path.read_text()).items():
        entry["columns"] = tuple(Column(**column) for column in entry["columns"])
        entry["rows"] = None if entry["rows"] is None else tuple(tuple(row) for row in entry["rows"])
        entry["digests"] = tuple((column, digest) for column, digest in entry["digests"])
        for fact in _SETS:
            entry[fact] = tuple(entry[fact])
        result[name] = Facts(**entry)
    return result


def _open(where: str, adapter: str) -> Snapshot:
    if where.endswith(".json"):
        return load(Path(where))
    if adapter == "postgres" or where.startswith("postgresql://"):
        return snapshot("postgres", {"dsn": where})
    return snapshot(adapter, {"path": where})


def main(argv: Sequence[str] | None = None) -> int:
    """Compare two databases; 0 if they are equal, 1 if not."""
    parser = argparse.ArgumentParser(description="Compare the relations of two databases.")
    parser.add_argument("left", help="database file, snapshot (.json) or postgresql:// address")
    parser.add_argument("right")
    parser.add_argument("--adapter", default="duckdb", choices=["duckdb", "postgres", "sqlite"])
    parser.add_argument(
        "--partial", action="store_true", help="the right side may lack relations of the left"
    )
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="RELATION[:COLUMN,...]",
        help="relation, or values of columns",
    )
    options = parser.parse_args(argv)
    rules = []
    for text in options.ignore:
        relation, _, columns = text.partition(":")
        rules.append(Ignore(relation, "command line", columns=tuple(filter(None, columns.split(",")))))
    left, right = _open(options.left, options.adapter), _open(options.right, options.adapter)
    found = differences(left, right, rules, options.partial)
    for difference in found:
        print(difference)
    total = compared(left, right, options.partial)
    print(f"{total - len({difference.relation for difference in found})} of {total} relations equal")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
