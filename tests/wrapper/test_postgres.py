"""The wrapper on a database server."""

from __future__ import annotations

from typing import Any

import pytest
from support import DbtProject
from wrapper.conftest import SHOP_NAMES, Cli, processes_of, wait_until

pytestmark = pytest.mark.postgres
SLEEPS = "{{ config(materialized='table') }}\nselect 1 as id, 1 as amount, 'a' as name from pg_sleep(600)\n"


def _sleeping(project: DbtProject) -> list[Any]:
    rows: list[Any] = project.query(
        "select pid from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid() "
        "and state <> 'idle' and datname = current_database()"
    )
    return rows


def test_a_workspace_becomes_ready_and_is_then_known_to_be(cli: Cli, shop: DbtProject) -> None:
    assert cli(shop, "ensure", "--json").document["state"] == "completed"
    assert shop.names() == SHOP_NAMES
    again = cli(shop, "ensure", "--json").document
    assert (again["way"], again["state"]) == ("warm", "completed")
    shop.drop("report")
    assert cli(shop, "ensure", "--json", "--threads", "2").document["tables_created"] == ["report"]


def test_a_query_that_sleeps_in_the_database_does_not_outlive_the_time_limit(
    cli: Cli, shop: DbtProject
) -> None:
    good = (shop.folder / "models/orders.sql").read_text()
    shop.write({"models/orders.sql": SLEEPS})
    cli(shop, "plan", "-q")
    result = cli(shop, "ensure", "--timeout", "12", code=3)
    assert result.seconds < 16
    assert not _sleeping(shop)
    assert not processes_of(shop.folder)
    shop.write({"models/orders.sql": good})
    assert cli(shop, "ensure", "--json").document["state"] == "completed"


@pytest.mark.parametrize("command", [["ensure"], ["exec", "--", "dbt", "run", "-s", "report"]])
def test_nor_does_it_outlive_a_killed_supervisor(cli: Cli, shop: DbtProject, command: list[str]) -> None:
    shop.write({"models/orders.sql": SLEEPS})
    process = cli.start(shop, *command)
    wait_until(lambda: bool(_sleeping(shop)), 120)
    process.kill()
    process.communicate()
    wait_until(lambda: not _sleeping(shop) and not processes_of(shop.folder), 10)
