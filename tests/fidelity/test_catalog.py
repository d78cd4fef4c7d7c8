"""The comparator can fail: each fact that is altered in a copy of a database is reported, and no other."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PostgresServer

sys.path.insert(0, str(Path(__file__).parent))

import harness
from catalog import Facts, Ignore, Snapshot, differences, load, main, save, snapshot, snapshot_spark

duckdb = pytest.importorskip("duckdb")

DUCKDB = """
create schema s;
create type s.mood as enum ('glad', 'sad');
create sequence s.counter start 5;
create macro s.plus(x) as x + 1;
create table s.parent (id integer primary key);
create table s.t (id integer not null, word varchar default 'w', amount decimal(6, 2), note varchar,
                  unique (word), check (id > 0), foreign key (id) references s.parent (id));
create index by_amount on s.t (amount);
comment on table s.t is 'a table';
comment on column s.t.note is 'a note';
create view s.v as select id, word from s.t;
insert into s.parent values (1), (2), (3);
insert into s.t values (1, 'a', 1.5, null), (2, 'b', null, ''), (3, 'c', 3, 'NULL');
create table s.plain (id integer, word varchar);
insert into s.plain values (1, 'x'), (1, 'x'), (2, null);
"""
POSTGRES = (
    DUCKDB.replace(
        "create macro s.plus(x) as x + 1",
        "create function s.plus(x int) returns int language sql as 'select x + 1'",
    )
    + """
create table s.logged (id integer, word varchar(20));
create materialized view s.m as select count(*) as n from s.t;
create unique index on s.m (n);
create table s.parted (id integer) partition by hash (id);
create table s.parted_0 partition of s.parted for values with (modulus 1, remainder 0);
"""
)

# name of the alteration: (SQL, where it shows, the fact, a text of the left side, a text of the right side)
Alteration = tuple[str, str, str, str, str]
COMMON: dict[str, Alteration] = {
    "type": (
        "alter table s.plain alter column id type bigint",
        "s.plain",
        "column id: type",
        "INTEGER",
        "BIGINT",
    ),
    "nullability": (
        "alter table s.plain alter column id set not null",
        "s.plain",
        "column id: nullable",
        "True",
        "False",
    ),
    "default": (
        "alter table s.plain alter column word set default 'q'",
        "s.plain",
        "column word: default",
        "(none)",
        "'q'",
    ),
    "comment": ("comment on table s.t is 'another'", "s.t", "comment", "a table", "another"),
    "column comment": (
        "comment on column s.t.note is null",
        "s.t",
        "column note: comment",
        "a note",
        "(none)",
    ),
    "row": ("update s.plain set word = 'y' where id = 2", "s.plain", "rows", "('2', NULL)", "('2', 'y')"),
    "empty for null": (
        "update s.plain set word = '' where id = 2",
        "s.plain",
        "rows",
        "('2', NULL)",
        "('2', '')",
    ),
    "text for null": (
        "update s.plain set word = 'NULL' where id = 2",
        "s.plain",
        "rows",
        "('2', NULL)",
        "('2', 'NULL')",
    ),
    "row more": ("insert into s.plain values (1, 'x')", "s.plain", "row_count", "3", "4"),
    "index dropped": ("drop index s.by_amount", "s.t", "indexes", "by_amount", "nothing"),
    "index made": ("create unique index more on s.parent (id)", "s.parent", "indexes", "nothing", "more"),
    "column more": (
        "alter table s.plain add column more integer",
        "s.plain",
        "columns",
        "id, word",
        "id, word, more",
    ),
    "column renamed": (
        "alter table s.plain rename column word to term",
        "s.plain",
        "columns",
        "id, word",
        "id, term",
    ),
    "column order": (
        "create table s.other as select word, id from s.plain; drop table s.plain;"
        " alter table s.other rename to plain",
        "s.plain",
        "columns",
        "id, word",
        "word, id",
    ),
    "view": (
        "drop view s.v; create view s.v as select id, upper(word) as word from s.t",
        "s.v",
        "definition",
        "word",
        "upper",
    ),
    "view for table": (
        "create table s.copy as select * from s.v; drop view s.v; alter table s.copy rename to v",
        "s.v",
        "kind",
        "view",
        "table",
    ),
    "relation more": (
        "create table s.left_over (id integer)",
        "s.left_over",
        "existence",
        "does not exist",
        "exists (table)",
    ),
    "relation gone": ("drop table s.plain", "s.plain", "existence", "exists (table)", "does not exist"),
    "sequence": (
        "drop sequence s.counter; create sequence s.counter start 6",
        "sequence s.counter",
        "definition",
        "5",
        "6",
    ),
}
ONLY_DUCKDB: dict[str, Alteration] = {
    "constraint": (
        "create or replace table s.plain (id integer, word varchar, check (id > 0))",
        "s.plain",
        "constraints",
        "nothing",
        "CHECK((id > 0))",
    ),
    "primary key": (
        "create or replace table s.plain (id integer, word varchar, unique (id, word))",
        "s.plain",
        "constraints",
        "nothing",
        "UNIQUE(id, word)",
    ),
    "macro": (
        "create or replace macro s.plus(x) as x + 2",
        "function s.plus(x)",
        "definition",
        "(x + 1)",
        "(x + 2)",
    ),
    "enum": (
        "drop type s.mood; create type s.mood as enum ('glad')",
        "type s.mood",
        "definition",
        "sad",
        "glad",
    ),
}
ONLY_POSTGRES: dict[str, Alteration] = {
    "check": (
        "alter table s.plain add constraint c check (id > 0)",
        "s.plain",
        "constraints",
        "nothing",
        "CHECK ((id > 0)) [c]",
    ),
    "foreign key": (
        "alter table s.t drop constraint t_id_fkey",
        "s.t",
        "constraints",
        "FOREIGN KEY (id)",
        "nothing",
    ),
    "constraint name": (
        "alter table s.t rename constraint t_word_key to k",
        "s.t",
        "constraints",
        "[t_word_key]",
        "[k]",
    ),
    "grant": ("grant select on s.plain to public", "s.plain", "grants", "nothing", "public: SELECT"),
    "column grant": (
        "grant select (id) on s.plain to public",
        "s.plain",
        "column id: extra",
        "(none)",
        "grants",
    ),
    "owner": ("alter table s.plain owner to pg_monitor", "s.plain", "owner", "postgres", "pg_monitor"),
    "persistence": ("alter table s.logged set unlogged", "s.logged", "persistence", "permanent", "unlogged"),
    "length": (
        "alter table s.logged alter word type varchar(21)",
        "s.logged",
        "column word: type",
        "(20)",
        "(21)",
    ),
    "identity": (
        "alter table s.logged alter id set not null;"
        " alter table s.logged alter id add generated always as identity",
        "s.logged",
        "column id: extra",
        "(none)",
        "identity a",
    ),
    "options": (
        "alter table s.logged set (fillfactor = 50)",
        "s.logged",
        "partitioning",
        "heap",
        "fillfactor",
    ),
    "partition": (
        "alter table s.parted detach partition s.parted_0",
        "s.parted_0",
        "partitioning",
        "modulus 1",
        "heap",
    ),
    "materialized view": (
        "drop materialized view s.m; create materialized view s.m as select count(*) + 0 as n from s.t",
        "s.m",
        "definition",
        "count(*) AS",
        "count(*) + 0",
    ),
    "not populated": (
        "refresh materialized view s.m with no data",
        "s.m",
        "partitioning",
        "heap",
        "not populated",
    ),
    "function": (
        "create or replace function s.plus(x int) returns int language sql as 'select x + 2'",
        "function s.plus(x integer)",
        "definition",
        "x + 1",
        "x + 2",
    ),
    "enum": ("alter type s.mood add value 'calm'", "type s.mood", "definition", "sad", "calm"),
    "rule": (
        "create rule r as on delete to s.plain do instead nothing",
        "s.plain",
        "dependents",
        "nothing",
        "DO INSTEAD NOTHING",
    ),
}

Make = Callable[[str], Snapshot]


def _holds(left: Snapshot, right: Snapshot, alteration: Alteration) -> None:
    _, relation, fact, one, two = alteration
    found = [entry for entry in differences(left, right) if entry.relation == relation and entry.fact == fact]
    assert found, f"{relation}: {fact} not among {[str(entry) for entry in differences(left, right)]}"
    assert one.lower() in found[0].left.lower(), found[0]
    assert two.lower() in found[0].right.lower(), found[0]


@pytest.fixture
def duck(tmp_path: Path) -> Make:
    """Make a DuckDB file with some more SQL and read it."""

    def make(sql: str) -> Snapshot:
        path = tmp_path / str(len(list(tmp_path.iterdir()))) / "db.duckdb"
        path.parent.mkdir()
        connection = duckdb.connect(str(path))
        connection.execute(DUCKDB)
        if sql:
            connection.execute(sql)
        connection.close()
        return snapshot("duckdb", {"path": path})

    return make


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Make:
    """Make a PostgreSQL database with some more SQL and read it."""
    psycopg2 = pytest.importorskip("psycopg2")
    address: dict[str, Any] = {
        "host": str(postgres_server.folder),
        "port": postgres_server.port,
        "user": "postgres",
    }
    arguments = {**address, "dbname": "testbed_catalog"}

    def administer(sql: str) -> None:
        admin = psycopg2.connect(**address, dbname="postgres")
        admin.autocommit = True
        admin.cursor().execute(sql)
        admin.close()

    def make(sql: str) -> Snapshot:
        administer("drop database if exists testbed_catalog with (force)")
        administer("create database testbed_catalog")
        connection = psycopg2.connect(**arguments)
        connection.autocommit = True
        connection.cursor().execute(POSTGRES)
        for statement in filter(None, map(str.strip, sql.split(";"))):
            connection.cursor().execute(statement)
        connection.close()
        return snapshot("postgres", arguments)

    return make


@pytest.mark.duckdb
def test_two_equal_databases_show_no_difference(duck: Make) -> None:
    left, right = duck(""), duck("")
    assert differences(left, right) == []
    assert {
        "s.parent",
        "s.t",
        "s.v",
        "s.plain",
        "sequence s.counter",
        "function s.plus(x)",
        "type s.mood",
    } == set(left)


@pytest.mark.duckdb
@pytest.mark.parametrize("name", [*COMMON, *ONLY_DUCKDB])
def test_every_alteration_of_duckdb_is_reported(name: str, duck: Make) -> None:
    alteration = {**COMMON, **ONLY_DUCKDB}[name]
    sql = alteration[0]
    _holds(duck(""), duck(sql), alteration)


@pytest.mark.postgres
def test_two_equal_postgres_databases_show_no_difference(postgres: Make) -> None:
    assert differences(postgres(""), postgres("")) == []


@pytest.mark.postgres
@pytest.mark.parametrize("name", [*COMMON, *ONLY_POSTGRES])
def test_every_alteration_of_postgres_is_reported(name: str, postgres: Make) -> None:
    alteration = {**COMMON, **ONLY_POSTGRES}[name]
    _holds(postgres(""), postgres(alteration[0]), alteration)


@pytest.mark.duckdb
def test_only_what_was_altered_is_reported(duck: Make) -> None:
    found = differences(duck(""), duck(COMMON["type"][0]))
    assert [(entry.relation, entry.fact) for entry in found] == [("s.plain", "column id: type")]


@pytest.mark.duckdb
def test_rows_are_a_multiset_without_order(duck: Make) -> None:
    rewritten = "delete from s.plain; insert into s.plain values (2, null), (1, 'x'), (1, 'x')"
    assert differences(duck(""), duck(rewritten)) == []
    fewer = "delete from s.plain; insert into s.plain values (2, null), (2, null), (1, 'x')"
    assert [entry.fact for entry in differences(duck(""), duck(fewer))] == ["rows"]


@pytest.mark.duckdb
def test_the_time_in_an_index_name_is_no_difference(duck: Make) -> None:
    one, two = ('create index "' + digit * 32 + '" on s.plain (id)' for digit in "1f")
    assert differences(duck(one), duck(two)) == []
    assert [entry.fact for entry in differences(duck(one), duck(""))] == ["indexes"]


@pytest.mark.duckdb
def test_a_view_over_a_dropped_table_is_an_error_of_that_view(duck: Make) -> None:
    broken = duck(
        "create table s.gone as select 1 as a; create view s.w as select a from s.gone; drop table s.gone"
    )
    assert broken["s.w"].rows is None
    assert "gone" in (broken["s.w"].error or "")


@pytest.mark.duckdb
def test_ignored_columns_hide_values_and_never_types(duck: Make) -> None:
    rules = [Ignore("s.pl*", "test", columns=("word",))]
    assert differences(duck(""), duck(COMMON["row"][0]), rules) == []
    typed = duck("alter table s.plain alter column word type integer using 1")
    assert [entry.fact for entry in differences(duck(""), typed, rules)] == ["column word: type"]


@pytest.mark.duckdb
def test_ignored_facts_and_relations(duck: Make) -> None:
    left, right = duck(""), duck("drop index s.by_amount; drop table s.plain")
    rules = [Ignore("s.t", "test", facts=("indexes",)), Ignore("s.plain", "test")]
    assert differences(left, right, rules) == []


@pytest.mark.duckdb
def test_partial_allows_missing_and_never_surplus_relations(duck: Make) -> None:
    assert differences(duck(""), duck("drop table s.plain"), partial=True) == []
    surplus = differences(duck(""), duck("create table s.x (a integer)"), partial=True)
    assert [entry.relation for entry in surplus] == ["s.x"]


@pytest.mark.duckdb
def test_large_relations_are_compared_by_digest(tmp_path: Path) -> None:
    def make(name: str, sql: str) -> Snapshot:
        path = tmp_path / f"{name}.duckdb"
        connection = duckdb.connect(str(path))
        connection.execute("create table big as select range as id, range % 7 as seven from range(1000)")
        connection.execute(sql)
        connection.close()
        return snapshot("duckdb", {"path": path, "keep_rows": 10})

    left, same = make("left", "select 1"), make("same", "select 1")
    other = make("other", "update big set seven = 8 where id = 500")
    assert left["main.big"].rows is None
    assert differences(left, same) == []
    assert [entry.fact for entry in differences(left, other)] == ["rows"]
    assert differences(left, other, [Ignore("main.big", "test", columns=("seven",))]) == []
    assert len(differences(left, other, [Ignore("main.big", "test", columns=("id",))])) == 1


@pytest.mark.duckdb
def test_a_snapshot_survives_its_file(duck: Make, tmp_path: Path) -> None:
    facts = duck("")
    save(facts, tmp_path / "facts.json")
    assert load(tmp_path / "facts.json") == facts
    json.loads((tmp_path / "facts.json").read_text())


@pytest.mark.duckdb
def test_sqlite_facts_show(tmp_path: Path) -> None:
    def make(name: str, word: str, index: str) -> Snapshot:
        path = tmp_path / f"{name}.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("create table t (id integer primary key, word text default 'w' not null)")
        connection.execute(f"create {index} index i on t (word)")
        connection.execute(f"insert into t values (1, {word})")
        connection.commit()
        connection.close()
        return snapshot("sqlite", {"path": path})

    left = make("left", "'1'", "")
    assert differences(left, make("same", "'1'", "")) == []
    assert [entry.fact for entry in differences(left, make("blob", "x'31'", ""))] == ["rows"]
    assert [entry.fact for entry in differences(left, make("unique", "'1'", "unique"))] == ["indexes"]


@pytest.mark.duckdb
def test_spark_reading_uses_nothing_but_sql() -> None:
    answers: dict[str, list[Any]] = {
        "show tables in `s`": [
            {"tableName": "t", "isTemporary": False},
            {"tableName": "x", "isTemporary": True},
        ],
        "describe table extended `s`.`t`": [
            ("id", "int", None),
            ("day", "date", "the day"),
            ("# Partition Information", "", ""),
            ("# col_name", "data_type", ""),
            ("day", "date", ""),
            ("", "", ""),
            ("# Detailed Table Information", "", ""),
            ("Type", "MANAGED", ""),
            ("Provider", "parquet", ""),
            ("Comment", "c", ""),
        ],
        "select cast(`id` as string), cast(`day` as string) from `s`.`t`": [("1", None)],
    }

    class Answer(list[Any]):
        def collect(self) -> list[Any]:
            return list(self)

    class Session:
        def sql(self, sqlQuery: str) -> Answer:  # noqa: N803
            return Answer(answers[sqlQuery])

    facts = snapshot_spark(Session(), ["s"])["s.t"]
    assert (facts.kind, facts.partitioning, facts.comment) == ("managed parquet", "day", "c")
    assert facts.rows == (("1", None),)


@pytest.mark.duckdb
def test_the_command_line_prints_the_count_and_fails_on_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("left", 1), ("right", 1), ("other", 2)):
        connection = duckdb.connect(str(tmp_path / f"{name}.duckdb"))
        connection.execute(f"create table t as select {value} as id")
        connection.execute(f'create view v as select * from "{name}".main.t')
        connection.close()
    left, right, other = (str(tmp_path / f"{name}.duckdb") for name in ("left", "right", "other"))
    assert main([left, right]) == 0
    assert capsys.readouterr().out == "2 of 2 relations equal\n"
    assert main([left, other]) == 1
    output = capsys.readouterr().out
    assert "main.t: rows" in output
    assert "left:  1 row(s) only here: ('1')" in output
    assert "right: 1 row(s) only here: ('2')" in output
    assert output.endswith("0 of 2 relations equal\n")
    assert main([left, other, "--ignore", "main.*:id"]) == 0


@pytest.mark.duckdb
def test_an_unknown_adapter_is_named() -> None:
    with pytest.raises(ValueError, match="no catalog reader for adapter 'oracle'"):
        snapshot("oracle", {})


@pytest.mark.duckdb
def test_a_hook_that_never_ran_is_noticed() -> None:
    plain = {name: Facts(name, "table") for name in ("bed.a", "bed.hooks_a", "bed.b", "bed.hooks_b")}
    healed = {"bed.a": plain["bed.a"]}
    assert differences(plain, healed, partial=True) == []
    assert harness.lost_companions(plain, healed) == ["bed.hooks_a"]
    assert harness.lost_companions(plain, {**healed, "bed.hooks_a": plain["bed.hooks_a"]}) == []
