# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""One initializer at a time: who waits is told for whom, gives up in time, and finds everything there."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from contextlib import closing, suppress
from typing import Any

import pytest
from faults.conftest import WarmProjectFactory
from support import DbtProject, DbtResult, PostgresDatabase, SqliteDatabase

pytestmark = [pytest.mark.dbt_version(">=1.9")]

FILES = {
    "seeds/regions.csv": "id,name\n1,north\n",
    "models/base.sql": "select id from {{ ref('regions') }}",
    "models/leaf.sql": "select id from {{ ref('base') }}",
    "models/holder.sql": "{{ config(schema='other') }} select 1 as id",
    "models/reader.sql": "select id from {{ ref('holder') }}",
}
KEY = "hashtextextended('dbt_selfheal:analytics', 0)"


def status(project: DbtProject) -> dict[str, object]:
    """Returns the event of initialization_status."""
    events = project.dbt("run-operation", "initialization_status").healing_events
    [event] = [event for event in events if event["event"] == "initialization_status"]
    return event


def waiting(result: DbtResult) -> bool:
    """Tells whether a run has waited for another initialization."""
    return "waiting for another initialization" in result.output


@pytest.mark.postgres
@pytest.mark.promise("One at a time")
def test_on_postgres_the_one_who_waits_is_told_for_whom_and_goes_on_when_it_is_over(
    make_warm_project: WarmProjectFactory,
) -> None:
    project = make_warm_project(FILES, "run", "-s", "leaf")
    project.dbt("run", "-s", "leaf")
    assert isinstance(project.database, PostgresDatabase)
    with project.database.server.connection(project.database.name) as other:
        project.drop("regions", "base", "leaf")
        cursor = other.cursor()
        cursor.execute(f"select pg_advisory_lock({KEY}), pg_backend_pid()")
        pid = cursor.fetchone()[1]
        refused = project.dbt_fails("run", "-s", "leaf", vars={"dbt_selfheal": {"lock_timeout_seconds": 0}})
        assert (
            f"another initialization is running on schema analytics: backend pid {pid} of user postgres"
            in refused.output
        )
        assert "Run the same command again when it is done" in refused.output
        assert project.relations() == {}
        shown = status(project)
        assert shown["state"] == "in_progress"
        assert f"backend pid {pid} of user postgres" in str(shown["lock_holder"])
        assert "connected for" in str(shown["lock_holder"])
        running = project.start("run", "-s", "leaf")
        running.wait_for("waiting for another initialization of schema analytics")
        project.execute("create table regions as select 5 as id, 'by the other' as name")
        cursor.execute(f"select pg_advisory_unlock({KEY})")
        result = running.wait()
    assert "1 built, 1 built by another run meanwhile" in result.output
    assert "acquire_lock" in [
        event["step_name"]
        for event in result.healing_events
        if event["event"] == "initialization_step_complete"
    ]
    assert project.rows("leaf") == [(5,)]
    assert status(project)["state"] == "incomplete"  # holder and reader were never asked for
    assert status(project)["lock_holder"] is None


@pytest.mark.postgres
def test_on_postgres_the_limit_of_who_waits_begins_anew_with_each_holder(
    make_warm_project: WarmProjectFactory,
) -> None:
    """Two hold the lock for 6 s each, one after the other, and the limit is 8 s; the second connects late."""
    project = make_warm_project(FILES, "run", "-s", "leaf")
    project.dbt("run", "-s", "leaf")
    assert isinstance(project.database, PostgresDatabase)
    server, name = project.database.server, project.database.name
    with server.connection(name) as first:
        project.drop("regions", "base", "leaf")
        first.cursor().execute(f"select pg_advisory_lock({KEY})")
        running = project.start("run", "-s", "leaf", vars={"dbt_selfheal": {"lock_timeout_seconds": 8}})
        running.wait_for("waiting for another initialization")
        with server.connection(name) as second:
            queued = threading.Thread(
                target=second.cursor().execute, args=(f"select pg_advisory_lock({KEY})",)
            )
            queued.start()
            time.sleep(6)
            first.cursor().execute(f"select pg_advisory_unlock({KEY})")
            queued.join()
            time.sleep(6)
            assert running.is_running
            second.cursor().execute(f"select pg_advisory_unlock({KEY})")
        assert running.wait().statuses == {"leaf": "success"}


@pytest.mark.postgres
def test_on_postgres_a_holder_that_works_is_waited_for_beyond_the_limit(
    make_warm_project: WarmProjectFactory,
) -> None:
    """It is idle for less than the limit of 4 s between two statements, or one of them takes longer."""
    project = make_warm_project(FILES, "run", "-s", "leaf")
    project.dbt("run", "-s", "leaf")
    assert isinstance(project.database, PostgresDatabase)
    with project.database.server.connection(project.database.name) as other:
        project.drop("regions", "base", "leaf")
        cursor = other.cursor()
        cursor.execute(f"select pg_advisory_lock({KEY})")
        running = project.start("run", "-s", "leaf", vars={"dbt_selfheal": {"lock_timeout_seconds": 4}})
        running.wait_for("waiting for another initialization")
        for _ in range(5):
            time.sleep(2)
            cursor.execute("select 1")
        assert running.is_running
        cursor.execute("select pg_sleep(7)")
        assert running.is_running
        cursor.execute(f"select pg_advisory_unlock({KEY})")
        assert running.wait().statuses == {"leaf": "success"}


@pytest.mark.postgres
def test_on_postgres_a_holder_that_does_not_get_on_is_given_up(make_warm_project: WarmProjectFactory) -> None:
    """Idle in a transaction, waiting for a lock itself, or at work for longer than the command may take."""
    project = make_warm_project(FILES, "run", "-s", "leaf")
    project.dbt("run", "-s", "leaf")
    assert isinstance(project.database, PostgresDatabase)
    server, name = project.database.server, project.database.name

    def refused(**settings: float) -> str:
        result = project.dbt_fails("run", "-s", "leaf", vars={"dbt_selfheal": settings})
        return " ".join(result.output.split())

    def works(cursor: Any) -> None:
        with suppress(Exception):  # it is cancelled
            cursor.execute("select pg_sleep(60)")

    idle = "Gave up after 3 s in which it did nothing. Run the same command again when it is done, or raise"
    with server.connection(name) as other, server.connection(name) as third:
        project.drop("regions", "base", "leaf")
        cursor = other.cursor()
        cursor.execute(f"select pg_advisory_lock({KEY})")
        cursor.execute("begin; select 1")
        output = refused(lock_timeout_seconds=3)
        assert f"{idle} vars.dbt_selfheal.lock_timeout_seconds" in output
        assert re.search(r"connected for \d+ s, idle in transaction for [3-9] s\.", output), output
        cursor.execute("rollback")

        third.cursor().execute("begin; create table analytics.held (id int)")
        pid = third.info.backend_pid
        blocked = threading.Thread(
            target=cursor.execute, args=("create table analytics.held (id int)",), daemon=True
        )
        blocked.start()
        output = refused(lock_timeout_seconds=3)
        assert idle in output
        assert f"waiting for backend pid {pid}." in output
        third.cursor().execute("rollback")
        blocked.join()

        threading.Thread(target=works, args=(cursor,), daemon=True).start()
        output = refused(lock_timeout_seconds=3, timeout_seconds=6)
        assert "Gave up after 6 s, though it is at work. Run the same command again" in output
        assert "or raise vars.dbt_selfheal.timeout_seconds" in output
        assert "active for" in output
        output = refused(lock_timeout_seconds=0.1)
        assert "Gave up after 6.0 s (60 times the limit), though it is at work." in output
        other.cancel()


@pytest.mark.postgres
def test_on_postgres_a_holder_of_another_user_is_named_and_waited_for(
    make_warm_project: WarmProjectFactory,
) -> None:
    """What its session does is hidden from a user without rights; its transactions are not."""
    project = make_warm_project(FILES, "run", "-s", "leaf")
    project.dbt("run", "-s", "leaf")
    assert isinstance(project.database, PostgresDatabase)
    server, name = project.database.server, project.database.name
    with server.connection(name) as other:
        project.drop("regions", "base", "leaf")
        cursor = other.cursor()
        cursor.execute(f"select pg_advisory_lock({KEY}), pg_backend_pid()")
        pid = cursor.fetchone()[1]
        cursor.execute("create role modest login")
        cursor.execute(f'grant all on database "{name}" to modest')
        cursor.execute("grant all on schema analytics to modest")
        project.write_profile(threads=1, user="modest")
        running = project.start("run", "-s", "leaf", vars={"dbt_selfheal": {"lock_timeout_seconds": 4}})
        running.wait_for("waiting for another initialization")
        for _ in range(3):
            cursor.execute("begin")
            cursor.execute("select 1")
            time.sleep(2)
            cursor.execute("commit")
        assert running.is_running
        result = running.wait(check=False)
        assert f"on schema analytics: backend pid {pid} of user postgres." in " ".join(result.output.split())
        assert "Gave up after 4 s in which it did nothing" in result.output
        cursor.execute(f"select pg_advisory_unlock({KEY})")
        cursor.execute("drop owned by modest; drop role modest")


@pytest.mark.postgres
def test_who_builds_in_another_schema_is_seen_from_the_target_schema(
    make_warm_project: WarmProjectFactory,
) -> None:
    files = {
        **FILES,
        "models/holder.sql": "{{ config(schema='other', pre_hook='select pg_sleep(20)') }} select 1 as id",
    }
    project = make_warm_project(files, "run", "-s", "leaf")
    running = project.start("run", "-s", "reader")
    running.wait_for("pg_sleep(20)")
    assert status(project)["state"] == "in_progress"
    running.kill()
    running.wait(check=False)


@pytest.mark.postgres
@pytest.mark.promise("Repeat as it is")
def test_a_run_that_is_killed_in_a_long_statement_frees_the_lock(
    make_warm_project: WarmProjectFactory,
) -> None:
    """The server ends the statement of a client that is gone; else the lock would be held for an hour here."""
    files = {
        **FILES,
        "models/base.sql": "{{ config(pre_hook=\"{{ env_var('SLOW', 'select 1') }}\") }} select id from {{ ref('regions') }}",
    }
    project = make_warm_project(files, "run", "-s", "leaf")
    project.dbt("run", "-s", "leaf")
    project.drop("base", "leaf")
    running = project.start("run", "-s", "leaf", env={"SLOW": "select pg_sleep(3600)"})
    running.wait_for("select pg_sleep(3600)")
    time.sleep(0.5)  # the statement has begun, or is about to
    running.kill()
    running.wait(check=False)
    started = time.monotonic()
    result = project.dbt("run", "-s", "leaf", vars={"dbt_selfheal": {"lock_timeout_seconds": 60}})
    assert result.statuses == {"leaf": "success"}
    assert time.monotonic() - started < 60


@pytest.mark.postgres
def test_the_connection_that_healed_has_its_setting_back(make_project, adapter_name) -> None:  # type: ignore[no-untyped-def]
    """The session is dbt's: on-run-start hooks that come after ours find it as it was."""
    files = {"models/a.sql": "select 1 as id", "models/b.sql": "select * from {{ ref('a') }}"}
    hook = "{{ dbt_selfheal.ensure_initialized() }}"
    show = "{% if execute %}{{ log('interval ' ~ run_query('show client_connection_check_interval').rows[0][0], info=true) }}{% endif %}"
    project = make_project(files, config={"on-run-start": [hook, show]})
    assert "interval 0" in project.dbt("run", "-s", "b").output


@pytest.mark.sqlite
def test_on_sqlite_the_one_who_waits_gives_up_in_time_and_goes_on_when_it_is_over(
    make_warm_project: WarmProjectFactory,
) -> None:
    files = {name: text for name, text in FILES.items() if "holder" not in text and "holder" not in name}
    project = make_warm_project(files, "run", "-s", "leaf")
    project.dbt("run", "-s", "leaf")
    project.drop("regions", "base", "leaf")
    assert isinstance(project.database, SqliteDatabase)
    lock = project.database.folder / "dbt_selfheal.lock"
    assert lock.exists()
    with closing(sqlite3.connect(lock, isolation_level=None)) as other:
        other.execute("begin exclusive")
        refused = project.dbt_fails("run", "-s", "leaf", vars={"dbt_selfheal": {"lock_timeout_seconds": 0}})
        assert "another initialization is running on this database" in " ".join(refused.output.split())
        assert project.relations() == {}
        running = project.start("run", "-s", "leaf")
        running.wait_for("attach")
        time.sleep(1)
        assert running.is_running
        other.execute("rollback")
        assert running.wait().statuses == {"leaf": "success"}
