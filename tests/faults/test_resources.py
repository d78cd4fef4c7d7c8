# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Disk, memory, server and rights give out in the middle: a readable error, and after the cure the repeat succeeds."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ProjectFactory
from support import (
    Database,
    DbtProject,
    DbtResult,
    DbtServer,
    DuckDbDatabase,
    PostgresDatabase,
    PostgresServer,
    SqliteDatabase,
)

pytestmark = [pytest.mark.dbt_version(">=1.9")]

MEGABYTE = 1_000_000
NUMBERS = {
    "duckdb": "select md5(range::varchar) || md5((range * 7)::varchar) as text from range({n})",
    "postgres": "select md5(i::text) || md5((i * 7)::text) as text from generate_series(1, {n}) i",
    "sqlite": "with recursive t(i) as (select 1 union all select i + 1 from t where i < {n}) select hex(randomblob(32)) as text from t",
}
SLOW = "{{ config(pre_hook=\"{{ env_var('SLOW', 'select 1') }}\") }} select id from {{ ref('regions') }}"
FILES = {
    "seeds/regions.csv": "id,name\n1,north\n2,south\n",
    "models/base.sql": SLOW,
    "models/leaf.sql": "select id from {{ ref('base') }}",
}
CONFIG = {"models": {"+materialized": "table"}, "vars": {"dbt_selfheal": {"timeout_seconds": 600}}}


def failed(result: DbtResult, *texts: str) -> None:
    """Asserts that a run failed with one of these texts, and with no traceback."""
    assert result.returncode > 0, result.explain()
    assert any(text.lower() in " ".join(result.output.split()).lower() for text in texts), result.explain()
    assert "Traceback" not in result.output, result.explain()
    assert set(result.statuses.values()) <= {"skipped"}, "nodes ran after the error"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 48 MB, where PostgreSQL's user may go too."""
    folder = Path(tempfile.mkdtemp(prefix="selfheal-disk-", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m,mode=777", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        folder.rmdir()
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def database_on_small_disk(
    small_disk: Path, adapter_name: str, request: pytest.FixtureRequest
) -> Iterator[Database]:
    """A database of the tested kind on it."""
    if adapter_name == "duckdb":
        yield DuckDbDatabase(small_disk)
    elif adapter_name == "sqlite":
        yield SqliteDatabase(small_disk)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        space = small_disk / "space"
        space.mkdir()
        space.chmod(0o777)
        subprocess.run(["chown", "65534:65534", str(small_disk), str(space)], check=True)
        database = PostgresDatabase(server)
        with server.connection("postgres") as connection:
            connection.cursor().execute(f"create tablespace small location '{space}'")
            connection.cursor().execute(f"alter database {database.name} set tablespace small")
        yield database
        database.close()
        with server.connection("postgres") as connection:
            connection.cursor().execute("drop tablespace small")


@pytest.mark.duckdb
@pytest.mark.postgres
@pytest.mark.sqlite
@pytest.mark.parametrize("what", ["seed", "model"])
def test_the_disk_is_full(
    database_on_small_disk: Database, small_disk: Path, dbt_server: DbtServer, tmp_path: Path, what: str
) -> None:
    """No space left while a seed is loaded, or a model is built: nothing of it is there, and what was there is whole."""
    chance = random.Random(1)
    database = database_on_small_disk
    rows = "".join(f"{n},{chance.randbytes(2000).hex()}\n" for n in range(1500))
    files = {
        "seeds/regions.csv": "id,name\n1,north\n2,south\n",
        "seeds/big_seed.csv": f"id,text\n{rows}" if what == "seed" else "id,text\n1,a\n",
        "models/big.sql": NUMBERS[database.adapter].format(n=100_000 if what == "model" else 1),
        "models/leaf.sql": "select (select count(*) from {{ ref('big_seed') }}) as s, (select count(*) from {{ ref('big') }}) as m, "
        "(select count(*) from {{ ref('regions') }}) as r",
    }
    project = DbtProject(tmp_path / "project", database, dbt_server, files=files, config=CONFIG)
    project.dbt("seed", "-s", "regions")
    ballast = small_disk / "ballast"
    free = int(
        subprocess.run(
            ["df", "--output=avail", "-B1", small_disk], capture_output=True, text=True, check=True
        ).stdout.split()[1]
    )
    ballast.write_bytes(bytes(free - 2 * MEGABYTE))
    failed(
        project.dbt("run", "-s", "leaf", check=False),
        "no space left",
        "disk is full",
        "could not extend file",
    )
    ballast.unlink()
    broken = "big_seed" if what == "seed" else "big"
    assert broken not in project.names()
    assert len(project.rows("regions")) == 2
    project.dbt("run", "-s", "leaf")
    assert project.rows("leaf") == [(1500 if what == "seed" else 1, 100_000 if what == "model" else 1, 2)]


@pytest.mark.duckdb
def test_the_memory_of_duckdb_is_not_enough(make_project: ProjectFactory) -> None:
    big = "select array_agg(text) as texts from (" + NUMBERS["duckdb"].format(n=2_000_000) + ")"
    project = make_project(
        {**FILES, "models/base.sql": f"select 1 as id, len(texts) as n from ({big})"}, config=CONFIG
    )
    project.dbt("seed")
    project.write_profile(settings={"memory_limit": "60MB", "temp_directory": ""})
    failed(project.dbt("run", "-s", "leaf", check=False), "Out of Memory")
    assert project.names() == {"regions"}
    project.write_profile()
    assert project.dbt("run", "-s", "leaf").statuses == {"leaf": "success"}


@pytest.mark.duckdb
def test_a_database_that_was_opened_for_reading_only(make_project: ProjectFactory) -> None:
    project = make_project(FILES, config=CONFIG)
    project.dbt("seed")
    project.write_profile(config_options={"access_mode": "READ_ONLY"})
    failed(project.dbt("run", "-s", "leaf", check=False), "read-only mode")
    project.write_profile()
    assert project.dbt("run", "-s", "leaf").statuses == {"leaf": "success"}


CAUSES = {
    "a transaction that may only read": (
        "alter database {name} set default_transaction_read_only = on",
        "alter database {name} set default_transaction_read_only = off",
        "in a read-only transaction",
    ),
    "a statement that takes too long": (
        "alter database {name} set statement_timeout = '2s'",
        "alter database {name} reset statement_timeout",
        "statement timeout",
    ),
    "no right to create in the schema": (
        "revoke create on schema analytics from limited",
        "grant create on schema analytics to limited",
        "the role limited may not create in the schema analytics",
    ),
    "no right to read the seed": (
        "alter table analytics.regions owner to postgres; revoke all on analytics.regions from limited",
        "alter table analytics.regions owner to limited; grant all on analytics.regions to limited",
        "permission denied for table regions",
    ),
}


@pytest.mark.postgres
@pytest.mark.parametrize("cause", CAUSES)
def test_postgres_refuses(make_project: ProjectFactory, cause: str) -> None:
    disturb, cure, text = CAUSES[cause]
    project = make_project(FILES, config=CONFIG)
    database = project.database
    assert isinstance(database, PostgresDatabase)
    database.execute(
        "do $$ begin create role limited login; exception when duplicate_object then null; end $$",
        "create schema analytics",
        "grant usage, create on schema analytics to limited",
        f"grant temporary, create on database {database.name} to limited",
    )
    project.write_profile(user="limited")
    project.dbt("seed")
    kept = project.rows("regions")
    database.execute(disturb.format(name=database.name))
    failed(project.dbt("run", "-s", "leaf", check=False, env={"SLOW": "select pg_sleep(4)"}), text)
    database.execute("set default_transaction_read_only = off", cure.format(name=database.name))
    assert project.names() == {"regions"}
    assert project.dbt("run", "-s", "leaf").statuses == {"leaf": "success"}
    assert project.rows("regions") == kept


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["backend terminated", "server restarted"])
def test_the_connection_is_cut_in_the_middle(
    make_project: ProjectFactory, postgres_server: PostgresServer, how: str
) -> None:
    project = make_project(FILES, config=CONFIG)
    project.dbt("seed")
    running = project.start("run", "-s", "leaf", env={"SLOW": "select pg_sleep(3600)"})
    running.wait_for("select pg_sleep(3600)")
    active = "select pid from pg_stat_activity where query like '%pg_sleep(3600)%' and pid <> pg_backend_pid() and state = 'active'"
    while not project.query(active):
        assert running.is_running
    if how == "server restarted":
        postgres_server.restart()
    else:
        project.query(f"select pg_terminate_backend(pid) from ({active}) a")
    failed(
        running.wait(check=False),
        "terminating connection",
        "server closed the connection",
        "connection already closed",
    )
    assert project.names() == {"regions"}
    assert project.dbt("run", "-s", "leaf").statuses == {"leaf": "success"}


@pytest.mark.postgres
def test_a_server_that_is_not_there(make_project: ProjectFactory) -> None:
    project = make_project(FILES, config=CONFIG)
    project.write_profile(port=1)
    result = project.dbt("run", "-s", "leaf", check=False)
    failed(result, "No such file or directory", "Connection refused")
    project.write_profile()
    assert project.dbt("run", "-s", "leaf").statuses == {"leaf": "success"}
