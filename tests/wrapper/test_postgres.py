"""The wrapper on a database server."""

from __future__ import annotations

import os
from pathlib import Path
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
    assert result.seconds < 24  # not ten minutes
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


def _guarded_role(project: DbtProject) -> str:
    """Makes a role for which the server, which trusts all others, asks for the password `right`."""
    role = f"guarded_{os.urandom(4).hex()}"
    rules = Path(project.query("show hba_file")[0][0])
    rules.write_text(f"local all {role} scram-sha-256\n{rules.read_text()}")
    project.execute(f"create role {role} login password 'right'", "select pg_reload_conf()")
    return role


@pytest.mark.both_packages
@pytest.mark.parametrize("command", [("ensure",), ("migrate", "up")], ids=" ".join)
@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("connection-refused", "cannot be reached"),
        ("authentication", "refuses user or password"),
        ("database-missing", "does not exist on the server"),
        ("permission", "permission denied"),
    ],
)
def test_what_the_server_refuses_is_named_and_the_repeat_succeeds(
    cli: Cli, shop: DbtProject, expected: str, said: str, command: tuple[str, ...]
) -> None:
    """The connection errors of the design document, in the words of a real server."""
    shop.write(
        {
            "macros/m.sql": "{% macro migration__1__t() %}create table {{ target.schema }}.t (id integer)"
            "{% endmacro %}"
        }
    )
    shop.configure(vars={"dbt_selfheal": {"timeout_seconds": 200, "migrations": True}})
    role = _guarded_role(shop)
    spoilt: dict[str, dict[str, Any]] = {
        "connection-refused": {"port": 1},
        "authentication": {"user": role, "password": "wr0ng-passw0rd"},
        "database-missing": {"dbname": "no_such_database"},
        "permission": {"user": role, "password": "right"},
    }
    shop.execute("create schema if not exists analytics")
    shop.write_profile(**spoilt[expected])
    result = cli(shop, *command, "--json", code=1)
    assert result.error["code"] == f"selfheal-{expected}", result.envelope
    assert said in result.output
    assert "What to do:" in result.said
    assert "wr0ng-passw0rd" not in result.output
    assert not shop.names()
    shop.write_profile()
    cli(shop, *command)
    assert "t" in shop.names()
