# ruff: noqa: E501 - SQL and Jinja in one line
"""Migrations: applied in order, once each, recorded, taken back; and every way in which they can be wrong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from support import DbtProject, DbtResult

Make = Callable[..., DbtProject]
pytestmark = pytest.mark.both_packages

MODEL = {"models/a.sql": "select 1 as id"}
HISTORY = "selfheal_migrations"


def migration(version: str, slug: str, up: str, down: str | None = None) -> dict[str, str]:
    """Returns the file of a migration; `{s}` in its SQL stands for the target schema."""
    text = f"{{% macro migration__{version}__{slug}() %}}\n{_sql(up)}\n{{% endmacro %}}\n"
    if down is not None:
        text += f"\n{{% macro rollback__{version}__{slug}() %}}\n{_sql(down)}\n{{% endmacro %}}\n"
    return {f"macros/migrations/{version}_{slug}.sql": text}


def _sql(text: str) -> str:
    return text.replace("{s}", "{{ target.schema }}")


THREE = {
    **MODEL,
    **migration(
        "0001",
        "create_tenants",
        "create table {s}.tenants (id integer, name varchar(20))",
        "drop table {s}.tenants",
    ),
    **migration(
        "0002",
        "first_tenant",
        "insert into {s}.tenants values (1, 'a;b'); -- a comment; with a semicolon\n"
        "insert into {s}.tenants values (2, 'it''s; so') /* and ; another */;",
        "delete from {s}.tenants",
    ),
    **migration(
        "0010",
        "add_plan",
        "alter table {s}.tenants add column plan varchar(20)",
        "alter table {s}.tenants drop column plan",
    ),
}


def operate(project: DbtProject, name: str, *, fails: bool = False, **arguments: Any) -> DbtResult:
    """Runs an operation of the package, which must succeed, or fail."""
    run = project.dbt_fails if fails else project.dbt
    options: dict[str, Any] = {key: arguments.pop(key) for key in ("vars", "env") if key in arguments}
    if arguments:
        options["args"] = arguments
    return run("run-operation", name, **options)


def history(
    project: DbtProject, columns: str = "version, success, rolled_back_at is not null"
) -> list[tuple[Any, ...]]:
    """Returns rows of the history in the order of the attempts."""
    rows = project.query(
        f"select {columns} from {project.database.quoted(HISTORY)} order by started_at, version"
    )
    return [tuple(bool(value) if index else value for index, value in enumerate(row)) for row in rows]


def states(project: DbtProject, **options: Any) -> dict[str, str]:
    """Returns the state of each migration, by version, as migration_status reports it."""
    [event] = [
        e
        for e in operate(project, "migration_status", **options).healing_events
        if e["event"] == "migration_status"
    ]
    return {entry["version"]: entry["state"] for entry in event["migrations"]}


@pytest.mark.promise("Migrations")
def test_pending_migrations_are_applied_in_order_once_and_recorded(make_project: Make) -> None:
    project = make_project(THREE)
    assert states(project) == {"0001": "pending", "0002": "pending", "0010": "pending"}
    assert HISTORY not in project.names(), "the history exists only once a migration is used"
    result = operate(project, "run_migrations")
    positions = [result.output.index(f"OK applied migration {name}") for name in ("0001", "0002", "0010")]
    assert positions == sorted(positions)
    assert [row[:2] for row in project.rows("tenants")] == [(1, "a;b"), (2, "it's; so")]
    assert [name for name, _ in project.columns("tenants")] == ["id", "name", "plan"]
    again = operate(project, "run_migrations")
    assert "nothing is pending" in again.output
    assert history(project) == [("0001", True, False), ("0002", True, False), ("0010", True, False)]
    source = (project.folder / "macros/migrations/0002_first_tenant.sql").read_text().split("\n\n")[0].strip()
    assert project.query(
        f"select name, checksum, package, statements_done from {project.database.quoted(HISTORY)} where version = '0002'"
    ) == [("migration__0002__first_tenant", hashlib.md5(source.encode()).hexdigest(), "shop", 2)]
    [row] = project.query(
        "select started_at, completed_at, duration_seconds, applied_by from "
        f"{project.database.quoted(HISTORY)} where version = '0001'"
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row[0])
    assert row[1] >= row[0]
    assert 0 <= row[2] < 60


def test_every_migration_and_the_step_are_events(make_project: Make) -> None:
    project = make_project(THREE)
    events = operate(project, "run_migrations").healing_events
    assert [e["version"] for e in events if e["event"] == "migration_complete"] == ["0001", "0002", "0010"]
    [step] = [
        e
        for e in events
        if e["event"] == "initialization_step_complete" and e["step_name"] == "run_migrations"
    ]
    assert step["success"] is True
    [listed] = [
        e for e in operate(project, "migration_history").healing_events if e["event"] == "migration_history"
    ]
    assert [(row["version"], row["success"], row["attempt"]) for row in listed["history"]] == [
        ("0001", True, 1), ("0002", True, 1), ("0010", True, 1)
    ]  # fmt: skip


def test_a_dry_run_prints_the_sql_and_changes_nothing(make_project: Make) -> None:
    files = {
        **THREE,
        **migration(
            "0011",
            "runs_itself",
            "{% do run_query('create table {s}.by_itself (id integer)'.replace('{s}', target.schema)) %}",
        ),
    }
    project = make_project(files)
    if project.database.default_schema == "analytics":
        project.execute("create schema analytics")
    result = operate(project, "run_migrations", dry_run=True)
    for text in ("create table", "insert into", "'it''s; so'", "alter table", "dry run"):
        assert text in result.output
    [plan] = [e for e in result.healing_events if e["event"] == "migration_plan"]
    assert [len(entry["statements"]) for entry in plan["migrations"]] == [1, 2, 1, 0]
    assert project.names() == set()


def test_run_stops_at_the_version_asked_for(make_project: Make) -> None:
    project = make_project(THREE)
    operate(project, "run_migrations", to="0002")
    assert states(project) == {"0001": "applied", "0002": "applied", "0010": "pending"}
    unknown = operate(project, "run_migrations", fails=True, to="0005")
    assert "there is no migration with the version 0005" in unknown.output
    assert "0001, 0002, 0010" in unknown.output
    octal = project.dbt_fails("run-operation", "run_migrations", "--args", "{to: 0010}")
    assert "YAML reads 0010 as 8" in octal.output


def test_rollback_goes_back_one_or_to_a_version_and_forward_again(make_project: Make) -> None:
    project = make_project(THREE)
    operate(project, "run_migrations")
    dry = operate(project, "rollback_migration", dry_run=True)
    assert "1 would be rolled back (dry run: nothing is)" in dry.output
    assert states(project)["0010"] == "applied"
    operate(project, "rollback_migration")
    assert [name for name, _ in project.columns("tenants")] == ["id", "name"]
    status = operate(project, "initialization_status")
    assert "Pending migrations: 0010 add_plan" in status.output
    upto = operate(project, "run_migrations", to="0002")
    assert "nothing is pending up to 0002; nothing was done" in upto.output
    assert states(project) == {"0001": "applied", "0002": "applied", "0010": "pending"}
    operate(project, "rollback_migration", to="0001")
    assert project.rows("tenants") == []
    operate(project, "run_migrations")
    assert len(project.rows("tenants")) == 2
    operate(project, "rollback_migration", to="0")
    assert "tenants" not in project.names()
    assert history(project) == [
        ("0001", True, True),
        ("0002", True, True),
        ("0010", True, True),
        ("0002", True, True),
        ("0010", True, True),
    ]


def test_what_has_no_rollback_is_refused_before_anything_is_rolled_back(make_project: Make) -> None:
    project = make_project(
        {**THREE, **migration("0003", "no_way_back", "delete from {s}.tenants where id = 2")}
    )
    operate(project, "run_migrations")
    result = operate(project, "rollback_migration", fails=True, to="0001")
    assert "0003 no_way_back (macros/migrations/0003_no_way_back.sql) has no rollback" in result.output
    assert "Write the macro rollback__0003__no_way_back" in result.output
    assert [name for name, _ in project.columns("tenants")] == ["id", "name", "plan"]


def test_what_a_rollback_is_told_is_taken_at_its_word(make_project: Make) -> None:
    """An empty version is no version, a version 0000 is one, and what is gone from the project is in the way."""
    project = make_project({**THREE, **migration("0000", "zero", "create table {s}.zero (id integer)")})
    operate(project, "run_migrations")
    applied = states(project)
    for name in ("rollback_migration", "run_migrations"):
        assert "the version is empty" in operate(project, name, fails=True, to="").output
    assert "the version is empty" in operate(project, "baseline_migrations", fails=True, version="").output
    project.remove("macros/migrations/0010_add_plan.sql")
    refused = operate(project, "rollback_migration", fails=True)
    assert "0010 add_plan was applied on" in refused.output
    assert "is gone from the project" in refused.output
    assert states(project) == {**applied, "0010": "gone"}
    project.write({key: value for key, value in THREE.items() if "0010" in key})
    operate(project, "rollback_migration", to="0")
    assert states(project) == {"0000": "applied", "0001": "pending", "0002": "pending", "0010": "pending"}
    assert "zero" in project.names()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_migrations_are_applied_rolled_back_and_applied_again(make_project: Make) -> None:
    files = dict(MODEL)
    for number in range(1, 101):
        files.update(
            migration(
                f"{number:04}",
                f"table_{number}",
                f"create table {{s}}.t{number} (id integer); insert into {{s}}.t{number} values ({number})",
                f"drop table {{s}}.t{number}",
            )
        )
    project = make_project(files)
    tables = {f"t{number}" for number in range(1, 101)}
    operate(project, "run_migrations")
    assert tables <= project.names()
    operate(project, "rollback_migration", to="0")
    assert not tables & project.names()
    operate(project, "run_migrations")
    assert tables <= project.names()
    assert project.rows("t57") == [(57,)]
    assert sum(1 for _, success, rolled_back in history(project) if success and not rolled_back) == 100


def test_statements_are_split_at_the_right_semicolons(make_project: Make) -> None:
    texts: dict[str, list[str]] = {
        "select 1; select 2;": ["select 1", "select 2"],
        "select ';' ; select \";\"": ["select ';'", 'select ";"'],
        "-- a;b\nselect 1 /* ; */; -- the end;": ["-- a;b\nselect 1 /* ; */"],
        "select 'it''s;'; select 2": ["select 'it''s;'", "select 2"],
        r"select e'\';'; select 2": [r"select e'\';'", "select 2"],
        "select $$a;b$$; select $x$ $$;$$ $x$": ["select $$a;b$$", "select $x$ $$;$$ $x$"],
        "create trigger t after insert on a begin update b set x = 1; delete from c; end; select 1": [
            "create trigger t after insert on a begin update b set x = 1; delete from c; end",
            "select 1",
        ],
        "create function f() returns int begin atomic select 1; select 2; end; select 3": [
            "create function f() returns int begin atomic select 1; select 2; end",
            "select 3",
        ],
        " ; ;\n": [],
    }
    project = make_project(
        {"macros/split.sql": "{% macro split(texts) %}{% for text in texts %}"
         "{% do log('SPLIT ' ~ tojson(dbt_selfheal_database._statements(text)), info=true) %}{% endfor %}{% endmacro %}"}
    )  # fmt: skip
    result = operate(project, "split", texts=list(texts))
    found = [
        json.loads(line.split("SPLIT ", 1)[1]) for line in result.output.splitlines() if "SPLIT " in line
    ]
    assert found == list(texts.values())


def test_a_migration_may_return_a_list_read_the_database_and_refer_to_nodes(make_project: Make) -> None:
    returned = """
{% macro migration__1__counted() %}
  {% set count = run_query('select count(*) from ' ~ ref('plans')).rows[0][0] | int %}
  {% do return(['create table ' ~ target.schema ~ '.counted as select ' ~ count ~ ' as n', '']) %}
{% endmacro %}
"""
    project = make_project({"seeds/plans.csv": "id\n1\n2\n", "macros/m.sql": returned})
    project.dbt("seed", vars={"dbt_selfheal": {"enabled": False}})
    operate(project, "run_migrations")
    assert project.rows("counted") == [(2,)]


def test_a_packages_migrations_come_before_the_projects_and_see_their_own_macros(make_project: Make) -> None:
    project = make_project(
        {
            **MODEL,
            **migration("1", "own", "create table {s}.own as select * from {s}.from_package"),
            "dbt_packages/vendor/dbt_project.yml": "name: vendor\nversion: 1.0.0\nconfig-version: 2\n",
            "dbt_packages/vendor/macros/m.sql": _sql(
                "{% macro number() %}7{% endmacro %}\n"
                "{% macro migration_2_to_3() %}only looks like one{% endmacro %}\n"
                "{% macro migration__1__vendored() %}create table {s}.from_package as select {{ number() }} as n{% endmacro %}\n"
                "{% macro rollback__1__vendored() %}drop table {s}.from_package{% endmacro %}\n"
            ),
        }
    )
    project.link_package()
    result = operate(project, "run_migrations")
    assert "1 of 2 OK applied migration vendor.1 vendored" in result.output
    assert project.rows("own") == [(7,)]
    ambiguous = operate(project, "run_migrations", fails=True, to="1")
    assert "is that of several packages" in ambiguous.output


def changed(project: DbtProject) -> None:
    operate(project, "run_migrations")
    project.write(
        migration(
            "0002", "first_tenant", "insert into {s}.tenants values (3, 'other')", "delete from {s}.tenants"
        )
    )


def gone(project: DbtProject) -> None:
    operate(project, "run_migrations")
    project.remove("macros/migrations/0002_first_tenant.sql")


def out_of_order(project: DbtProject) -> None:
    operate(project, "run_migrations")
    project.write(migration("0005", "late", "create table {s}.late (id integer)"))


def duplicate(project: DbtProject) -> None:
    project.write(migration("2", "twin", "create table {s}.twin (id integer)"))


def bad_name(project: DbtProject) -> None:
    project.write(
        {"macros/migrations/bad.sql": "{% macro migration__four__create() %}select 1{% endmacro %}"}
    )


def bad_separator(project: DbtProject) -> None:
    project.write({"macros/migrations/bad.sql": "{% macro migration_0004_create() %}select 1{% endmacro %}"})


def near_miss(project: DbtProject) -> None:
    project.write({"macros/migrations/bad.sql": "{% macro Migrations__v4__create() %}select 1{% endmacro %}"})


def orphan(project: DbtProject) -> None:
    project.write(
        {"macros/migrations/bad.sql": "{% macro rollback__0002__other_name() %}select 1{% endmacro %}"}
    )


def ends_transaction(project: DbtProject) -> None:
    project.write(migration("0011", "commits", "create table {s}.half (id integer); commit; select 1"))


WRONG: Mapping[str, tuple[Callable[[DbtProject], None], tuple[str, ...]]] = {
    "changed": (changed, (
        "0002 first_tenant (macros/migrations/0002_first_tenant.sql) was changed after it was applied",
        "Put the file back as it was (git log -p",
        "repair_migrations --args '{version: \"0002\", action: mark_applied}'")),
    "gone": (gone, ("0002 first_tenant was applied on", "is gone from the project", "action: mark_failed")),
    "out_of_order": (out_of_order, (
        "0005 late (macros/migrations/0005_late.sql) is out of order", "Give it a version after 0010", "out_of_order: true")),
    "duplicate": (duplicate, ("is used by 2 migrations", "migration__0002__first_tenant", "migration__2__twin", "version of its own")),
    "orphan": (orphan, ("rollback__0002__other_name", "has no migration")),
}  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.slow if kind in ("gone", "orphan") else ()) for kind in WRONG],
)
def test_what_is_wrong_is_named_with_what_to_do_before_anything_runs(make_project: Make, kind: str) -> None:
    project = make_project({**THREE})
    break_it, messages = WRONG[kind]
    break_it(project)
    before = project.relations()
    operation = "validate_migrations" if kind == "changed" else "run_migrations"
    result = operate(project, operation, fails=True)
    for message in messages:
        assert message in result.output, result.output
    after = {name: value for name, value in project.relations().items() if not name.endswith("_lock")}
    assert after == {name: value for name, value in before.items() if not name.endswith("_lock")}
    assert "PROBLEM" in operate(project, "migration_status").output


LOOK_ALIKE = {
    bad_name: ("migration__four__create (macros/migrations/bad.sql)", "migration__<version>__<name>", "migration__0001__create_tenants"),
    bad_separator: ("migration_0004_create", "two underscores"),
    near_miss: ("Migrations__v4__create (macros/migrations/bad.sql)", "rename it"),
}  # fmt: skip


def test_what_only_looks_like_a_migration_is_a_warning(make_project: Make) -> None:
    project = make_project(THREE)
    for make_it, messages in LOOK_ALIKE.items():
        make_it(project)
        for operation in ("validate_migrations", "migration_status"):
            result = operate(project, operation)
            for message in messages:
                assert message in result.output, result.output
            assert "PROBLEM" not in result.output
    assert operate(project, "run_migrations").output.count("OK applied migration") == 3


def test_out_of_order_is_applied_when_allowed(make_project: Make) -> None:
    project = make_project(THREE)
    out_of_order(project)
    operate(project, "run_migrations", vars={"dbt_selfheal": {"out_of_order": True}})
    assert "late" in project.names()


def test_a_change_of_line_ends_is_no_change(make_project: Make) -> None:
    project = make_project(THREE)
    operate(project, "run_migrations")
    path = project.folder / "macros/migrations/0002_first_tenant.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    operate(project, "validate_migrations")


def test_an_accepted_change_and_a_forgotten_migration_are_no_problem_any_more(make_project: Make) -> None:
    project = make_project(THREE)
    changed(project)
    operate(project, "repair_migrations", version="0002", action="mark_applied")
    operate(project, "validate_migrations")
    project.remove("macros/migrations/0002_first_tenant.sql")
    operate(project, "validate_migrations", fails=True)
    operate(project, "repair_migrations", version="0002", action="mark_failed")
    operate(project, "validate_migrations")
    wrong = operate(project, "repair_migrations", fails=True, version="0001", action="rerun")
    assert "nothing to repair" in wrong.output
    assert (
        "rerun, mark_applied or mark_failed"
        in operate(project, "repair_migrations", fails=True, version="0001", action="redo").output
    )


def test_the_last_attempt_counts_whatever_the_clocks_say(make_project: Make) -> None:
    project = make_project(THREE)
    operate(project, "run_migrations")
    project.execute(f"update {HISTORY} set started_at = '2099-01-01T00:00:00.000Z' where version = '0010'")
    operate(project, "rollback_migration")
    operate(project, "run_migrations")
    assert set(states(project).values()) == {"applied"}
    assert operate(project, "run_migrations").output.count("OK applied migration") == 0


def test_a_migration_whose_version_is_written_differently_can_be_repaired(make_project: Make) -> None:
    project = make_project({**MODEL, **migration("0001", "one", "create table {s}.one (id integer)")})
    operate(project, "run_migrations")
    project.remove("macros/migrations/0001_one.sql")
    project.write(migration("1", "one", "create table {s}.one (id bigint)"))
    assert states(project) == {"1": "changed"}
    operate(project, "repair_migrations", version="1", action="mark_applied")
    assert states(project) == {"1": "applied"}


def test_of_a_migration_that_fails_nothing_remains_and_the_corrected_one_goes_on(make_project: Make) -> None:
    failing = "create table {s}.half (id integer); insert into {s}.half values (1); insert into {s}.nowhere values (1); create table {s}.rest (id integer)"
    project = make_project({**THREE, **migration("0011", "fails", failing)})
    result = operate(project, "run_migrations", fails=True)
    assert "4 of 4 START migration 0011 fails (macros/migrations/0011_fails.sql)" in result.output
    assert "nowhere" in result.output, "the database's own message"
    assert "Of one that fails nothing remains; correct it and run the same command again" in result.output
    assert {"half", "rest"} & project.names() == set()
    assert [version for version, *_ in history(project)] == ["0001", "0002", "0010"]
    assert states(project)["0011"] == "pending"
    project.write(migration("0011", "fails", failing.replace("nowhere", "half")))
    operate(project, "run_migrations")
    assert project.rows("half") == [(1,), (1,)]


def test_a_migration_that_ends_its_transaction_is_refused(make_project: Make) -> None:
    project = make_project(THREE)
    ends_transaction(project)
    result = operate(project, "run_migrations", fails=True)
    assert (
        "0011 commits (macros/migrations/0011_commits.sql) begins or ends a transaction itself: commit"
        in result.output
    )
    assert "-- dbt_selfheal: no transaction" in result.output
    assert "half" not in project.names()
    in_a_list = "{{ return(['create table {s}.half (id integer); commit']) }}".replace(
        "{s}", "' ~ target.schema ~ '"
    )
    project.write(
        {
            "macros/migrations/0011_commits.sql": f"{{% macro migration__0011__commits() %}}{in_a_list}{{% endmacro %}}"
        }
    )
    assert (
        "begins or ends a transaction itself: commit" in operate(project, "run_migrations", fails=True).output
    )
    assert "half" not in project.names()
    assert states(project)["0011"] == "pending"


WITHOUT = """
-- dbt_selfheal: no transaction
create table {s}.one (id integer);
insert into {s}.one values (1);
insert into {s}.nowhere values (1);
create table {s}.two (id integer);
"""


def test_without_a_transaction_what_is_done_stays_and_is_named(make_project: Make) -> None:
    project = make_project({**MODEL, **migration("1", "alone", WITHOUT)})
    failed = operate(project, "run_migrations", fails=True)
    assert "without a transaction" in failed.output
    assert project.rows("one") == [(1,)]
    assert states(project) == {"1": "interrupted"}
    blocked = operate(project, "run_migrations", fails=True)
    assert "of its 4 statements the first 2 are done and stay" in " ".join(blocked.output.split())
    for action in ("rerun", "mark_applied", "mark_failed"):
        assert f"repair_migrations --args '{{version: \"1\", action: {action}}}'" in blocked.output
    project.drop("one")
    operate(project, "repair_migrations", version="1", action="mark_failed")
    assert states(project) == {"1": "pending"}
    operate(project, "run_migrations", fails=True)
    project.write(
        migration(
            "1",
            "alone",
            WITHOUT.replace("nowhere", "one").replace("create table", "create table if not exists"),
        )
    )
    operate(project, "repair_migrations", version="1", action="rerun")
    assert states(project) == {"1": "applied"}
    assert "two" in project.names()
    assert [row[1] for row in history(project)] == [False, False, True]


BACK = """
-- dbt_selfheal: no transaction
drop table {s}.one;
insert into {s}.nowhere values (1);
drop table {s}.two;
"""


def test_a_rollback_without_a_transaction_that_stops_half_way_is_named_and_settled(
    make_project: Make,
) -> None:
    two = "create table {s}.one (id integer); create table {s}.two (id integer)"
    project = make_project({**MODEL, **migration("1", "pair", two, BACK)})
    operate(project, "run_migrations")
    operate(project, "rollback_migration", fails=True)
    assert sorted(project.names() & {"one", "two"}) == ["two"]
    assert states(project) == {"1": "interrupted"}
    blocked = " ".join(operate(project, "run_migrations", fails=True).output.split())
    assert "1 pair (macros/migrations/1_pair.sql) was applied on" in blocked
    assert (
        "Its rollback was started without a transaction and did not finish: of its 3 statements the first 1 are done"
        in blocked
    )
    assert "to run all of the rollback again" in blocked
    project.write(
        migration("1", "pair", two, BACK.replace("table ", "table if exists ").replace("nowhere", "two"))
    )
    operate(project, "repair_migrations", version="1", action="rerun")
    assert states(project) == {"1": "pending"}
    assert not project.names() & {"one", "two"}
    operate(project, "run_migrations")
    assert states(project) == {"1": "applied"}


@pytest.mark.postgres
def test_without_a_transaction_postgres_takes_what_refuses_one(make_project: Make) -> None:
    concurrently = (
        "-- dbt_selfheal: no transaction\ncreate index concurrently tenants_name on {s}.tenants (name)"
    )
    project = make_project(
        {
            **THREE,
            **migration(
                "0011",
                "index",
                concurrently,
                "-- dbt_selfheal: no transaction\ndrop index concurrently {s}.tenants_name",
            ),
        }
    )
    operate(project, "run_migrations")
    assert project.query("select count(*) from pg_indexes where indexname = 'tenants_name'") == [(1,)]
    operate(project, "rollback_migration")
    assert project.query("select count(*) from pg_indexes where indexname = 'tenants_name'") == [(0,)]


@pytest.mark.sqlite
def test_a_trigger_with_a_body_is_one_statement(make_project: Make) -> None:
    trigger = (
        "create trigger {s}.log_names after insert on tenants begin update tenants set name = upper(name) where id = new.id; "
        "delete from tenants where id < 0; end; insert into {s}.tenants values (3, 'c', null)"
    )
    project = make_project({**THREE, **migration("0011", "trigger", trigger)})
    operate(project, "run_migrations")
    assert (3, "C", None) in project.rows("tenants")


def test_a_baseline_records_and_runs_nothing(make_project: Make) -> None:
    project = make_project(THREE)
    if project.database.default_schema == "analytics":
        project.execute("create schema analytics")
    project.execute("create table tenants (id integer, name varchar(20))")
    operate(project, "baseline_migrations", version="0002")
    assert states(project) == {"0001": "applied", "0002": "applied", "0010": "pending"}
    operate(project, "run_migrations")
    assert [name for name, _ in project.columns("tenants")] == ["id", "name", "plan"]
    assert project.rows("tenants") == []


def test_the_history_is_in_the_schema_of_the_settings(make_project: Make) -> None:
    project = make_project(THREE, config={"vars": {"dbt_selfheal": {"schema": "ops"}}})
    operate(project, "run_migrations")
    assert f"ops.{HISTORY}" in project.relations()
    assert states(project) == {"0001": "applied", "0002": "applied", "0010": "applied"}


def test_switched_off_nothing_is_applied(make_project: Make) -> None:
    project = make_project(THREE)
    off = {"DBT_SELFHEAL_ENABLED": "false"}
    for name, arguments in (
        ("run_migrations", {}),
        ("run_migrations", {"dry_run": True}),
        ("baseline_migrations", {"version": "0002"}),
        ("repair_migrations", {"version": "0002", "action": "mark_applied"}),
    ):
        assert "nothing was done" in operate(project, name, env=off, **arguments).output
    assert project.names() == set()


# The error classes of the design document that a migration can run into: its SQL, and the database's own words.
FAILURES = {
    "table creation": ("create table {s}.tenants (id integer)", "already exists"),
    "index creation": ("create index {i}no_index on {t}tenants (no_such)", "no_such"),
    "constraint": ("insert into {s}.keyed values (1), (1)", "unique|duplicate"),
    "syntax": ("alter tabel {s}.tenants", "syntax error"),
    "data": ("insert into {s}.keyed select cast(name as integer) from {s}.tenants", "convert|invalid input"),
}


def test_a_failure_shows_the_migration_its_file_and_the_databases_words_and_leaves_nothing(
    make_project: Make, adapter_name: str
) -> None:
    project = make_project(THREE)
    operate(project, "run_migrations")
    before = (project.relations(), project.rows("tenants"), history(project))
    for kind, (sql, words) in FAILURES.items():
        if (kind, adapter_name) == ("data", "sqlite"):
            continue  # SQLite converts any text to a number
        lead = "create table {s}.keyed (id integer primary key); delete from {s}.tenants; insert into {s}.tenants values (7, 'x', null)"
        schema_of = (
            ("{s}.", "") if adapter_name == "sqlite" else ("", "{s}.")
        )  # of an index, and of its table
        sql = sql.replace("{i}", schema_of[0]).replace("{t}", schema_of[1])
        project.write(migration("0011", "fails", f"{lead}; {sql}"))
        failed = operate(project, "run_migrations", fails=True).output
        assert "START migration 0011 fails (macros/migrations/0011_fails.sql)" in failed, failed
        assert re.search(words, failed, re.IGNORECASE), (kind, failed)
        assert "Of one that fails nothing remains; correct it and run the same command again" in failed
        assert (project.relations(), project.rows("tenants"), history(project)) == before, kind


@pytest.mark.postgres
def test_without_the_right_to_make_tables_nothing_is_applied(make_project: Make) -> None:
    project = make_project(THREE)
    project.execute("create schema if not exists analytics", "drop role if exists selfheal_guest")
    project.execute(
        "create role selfheal_guest login password 'guest'",
        "grant usage on schema analytics to selfheal_guest",
    )
    project.write_profile(user="selfheal_guest", password="guest")
    failed = operate(project, "run_migrations", fails=True)
    assert "permission denied" in failed.output
    assert project.names() == set()
    project.execute("revoke usage on schema analytics from selfheal_guest", "drop role selfheal_guest")
