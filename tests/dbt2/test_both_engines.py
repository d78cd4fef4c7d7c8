"""What goes wrong, with the same messages and exit codes on dbt v1 and v2: run in an environment of each."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ProjectFactory
from dbt2.conftest import REFUSING
from support import DbtProject, DuckDbDatabase
from wrapper.conftest import SHOP_NAMES, Cli, processes_of, wait_until

pytestmark = pytest.mark.duckdb
LIMIT = ("--timeout", "200")
EXEC = ("exec", *LIMIT, "--", "dbt", "run", "-s", "report")


def slow(parent: str) -> str:
    """Returns a model that takes as long as it is let."""
    return (
        "{{ config(materialized='table') }}\n"
        "select sum(hash(a.range * b.range)) as n, count(*) as amount, 'x' as name from range(3000000) a, "
        f"range(3000000) b where exists (select 1 from {{{{ ref('{parent}') }}}})\n"
    )


def test_a_run_that_is_killed_leaves_no_process_and_is_repeated_as_it_is(cli: Cli, shop: DbtProject) -> None:
    good = (shop.folder / "models/orders.sql").read_text()
    shop.write({"models/orders.sql": slow("raw_orders")})
    log = shop.folder / "events.jsonl"
    process = cli.start(shop, "exec", "--log-file", str(log), *EXEC[1:])
    started = '"initialization_node_started", "unique_id": "model.shop.orders"'
    wait_until(lambda: process.poll() is not None or (log.exists() and started in log.read_text()), 200)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not processes_of(shop.folder), 30)
    assert "orders" not in shop.names()
    shop.write({"models/orders.sql": good})
    cli(shop, *EXEC)
    assert shop.names() == SHOP_NAMES


@pytest.mark.parametrize("command", [("ensure",), ("exec", "--", "dbt", "run", "-s", "report")])
def test_the_time_limit_ends_it_with_all_that_it_started(
    cli: Cli, shop: DbtProject, command: tuple[str, ...]
) -> None:
    shop.write({"models/orders.sql": slow("raw_orders")})
    started = time.monotonic()
    limited = (command[0], "--timeout", "25", *command[1:])
    stopped = cli(shop, *limited, code=3)
    assert time.monotonic() - started < 100
    assert "initialization was stopped after" in stopped.said
    assert "the limit is 25 s" in stopped.said
    assert "Run the same command again" in stopped.said
    assert processes_of(shop.folder) == []
    assert {"orders", "report"}.isdisjoint(shop.names())


def test_a_failing_parent_is_named_with_its_file_and_stops_the_command(cli: Cli, shop: DbtProject) -> None:
    shop.write(
        {"models/orders.sql": "{{ config(materialized='table') }} select nope from {{ ref('raw_orders') }}"}
    )
    failed = cli(shop, *EXEC, code=1)
    assert "nope" in failed.said
    assert "models/orders.sql" in failed.said
    assert "What to do:" in failed.said
    assert "report" not in shop.names()
    assert "Error:" in failed.stderr


@pytest.mark.parametrize("drop", ["orders", "all"])
def test_what_may_not_be_built_ends_it_with_its_own_exit_code(cli: Cli, shop: DbtProject, drop: str) -> None:
    if drop == "orders":
        cli(shop, *EXEC)
        shop.drop("orders")
    refusing = {"vars": {"dbt_selfheal": {"timeout_seconds": 200, "on_missing": "fail"}}}
    shop.configure(**refusing)
    refused = cli(shop, *EXEC, code=7)
    assert "dbt-selfheal explain selfheal-missing" in refused.said
    assert "orders" in refused.said
    assert "orders" not in shop.names()


def test_a_file_that_another_process_keeps_open_is_waited_for_and_then_named(
    cli: Cli, shop: DbtProject
) -> None:
    assert isinstance(shop.database, DuckDbDatabase)
    code = f"import duckdb, time; c = duckdb.connect({str(shop.database.path)!r}); print('open', flush=True)"
    other = subprocess.Popen(
        [sys.executable, "-c", f"{code}; time.sleep(300)"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        refused = cli(shop, "exec", "--lock-timeout", "1", "--", "dbt", "run", "-s", "report", code=1)
        assert f"process {other.pid}" in refused.said
        assert "More: dbt-selfheal explain selfheal-file-locked" in refused.stderr
    finally:
        other.kill()
        other.wait()


def test_a_missing_source_is_named_with_what_reads_it(cli: Cli, make_project: ProjectFactory) -> None:
    sources = "sources:\n  - {name: bank, schema: bank, tables: [{name: payments}]}\n"
    project = make_project(
        {
            "models/sources.yml": f"version: 2\n{sources}",
            "models/payments.sql": "select * from {{ source('bank', 'payments') }}",
            "models/leaf.sql": "select * from {{ ref('payments') }}",
        },
        config={"vars": {"dbt_selfheal": {"timeout_seconds": 200}}},
    )
    for command in (("exec", "--", "dbt", "run", "-s", "leaf"), ("ensure",)):
        failed = cli(project, *command, code=1)
        assert "the source bank.payments is missing" in failed.said
        assert "It is read by payments (models/payments.sql)" in failed.said
        assert "What to do: Load it" in failed.said
        assert "Nothing was built." in failed.said
    plan = cli(project, "plan", "--json").document
    assert [source["name"] for source in plan["missing_sources"]] == ["bank.payments"]
    assert "there is no source bank.payments" in plan["blocked"]


@pytest.mark.postgres
@pytest.mark.parametrize("command", [("ensure",), ("exec", "--", "dbt", "run", "-s", "leaf")])
def test_a_seed_that_fails_leaves_no_table_and_is_loaded_once_it_is_mended(
    cli: Cli, make_project: ProjectFactory, command: tuple[str, ...]
) -> None:
    project = make_project(
        {
            "seeds/raw.csv": "id,day\n1,2024-01-01\n2,soon\n",
            "seeds/raw.yml": "seeds: [{name: raw, config: {column_types: {id: integer, day: date}}}]\n",
            "models/orders.sql": "{{ config(materialized='table') }} select * from {{ ref('raw') }}",
            "models/leaf.sql": "select o.* from {{ ref('orders') }} o, {{ ref('there') }}",
            "seeds/there.csv": "id\n1\n",
        },
        config={"vars": {"dbt_selfheal": {"timeout_seconds": 200}}},
    )
    project.dbt("seed", "-s", "there", env={"DBT_SELFHEAL_ENABLED": "false"})
    project.execute("update " + project.database.quoted("there") + " set id = 7")
    failed = cli(project, *command, code=7)
    assert "(building seed raw, seeds/raw.csv)" in failed.said
    assert "soon" in failed.said
    assert "Correct the value in seeds/raw.csv" in failed.said
    assert "orders" not in failed.said  # it was skipped
    assert project.names() == {"there"}
    assert project.rows("there") == [(7,)]  # what existed stays
    project.write({"seeds/raw.csv": "id,day\n1,2024-01-01\n2,2024-01-02\n"})
    cli(project, *command)
    assert project.rows("raw") == [(1, datetime.date(2024, 1, 1)), (2, datetime.date(2024, 1, 2))]


def test_what_does_not_need_a_refused_node_is_built_all_the_same(
    cli: Cli, make_project: ProjectFactory
) -> None:
    project = make_project(REFUSING, config={"vars": {"dbt_selfheal": {"timeout_seconds": 200}}})
    failed = cli(project, "exec", "--", "dbt", "run", "-s", "grown", "leaf", code=1)
    assert "model grown (models/grown.sql): this command builds it too" in failed.said
    assert project.names() == {"raw", "other"}
