"""dbt show, compile and docs generate run no hook that heals; exec makes ready what they read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import DbtProject
from wrapper.conftest import SHOP_NAMES, Cli

from dbt_selfheal.workspace.dbt import reads_of

pytestmark = pytest.mark.duckdb
RAW = {"raw_customers", "raw_orders"}
ASKING = {
    "models/asking.sql": "{% set names = run_query('select name from ' ~ ref('totals')) if execute %}\n"
    "select {{ (names.rows | length) if names else 0 }} as many -- {{ ref('totals') }}\n"
}


def test_by_itself_none_of_them_heals(shop: DbtProject) -> None:
    """What these commands do with the package alone; should dbt run hooks for them one day, this fails."""
    for command in (["compile"], ["docs", "generate"], ["parse"], ["list"]):
        shop.dbt(*command)
        assert not shop.relations(), command
    shop.dbt_fails("show", "--select", "report")
    assert not shop.relations()


def test_what_show_reads_is_built_and_nothing_else(cli: Cli, shop: DbtProject) -> None:
    shown = cli(shop, "exec", "--", "dbt", "show", "--select", "orders")
    assert "Ada" in shown.stdout
    assert shop.names() == RAW, "not the shown model itself"
    assert "Ready in" in shown.said
    again = cli(shop, "exec", "--", "dbt", "show", "--select", "orders")
    assert "unchanged since the last run" in again.said
    cli(shop, "exec", "--", "dbt", "show", "-s", "report", "--limit", "1")
    assert shop.names() == RAW | {"orders", "totals"}
    shop.drop("raw_orders")
    inline = cli(
        shop, "exec", "--", "dbt", "show", "--inline", "select count(*) as n from {{ ref('raw_orders') }}"
    )
    assert "raw_orders" in shop.names()
    assert "3" in inline.stdout


def test_compile_builds_only_what_is_asked_while_compiling(cli: Cli, shop: DbtProject) -> None:
    cli(shop, "exec", "--", "dbt", "compile")
    assert not shop.relations(), "nothing asks the database"
    shop.write(ASKING)
    shop.dbt_fails("compile")
    cli(shop, "exec", "--", "dbt", "compile", "-s", "report")
    assert not shop.relations(), "what is selected does not"
    done = cli(shop, "exec", "--", "dbt", "compile")
    assert done.returncode == 0
    assert shop.names() == RAW | {"orders", "totals"}
    inline = "{% set found = run_query('select * from ' ~ ref('report')) %} select 1 as one"
    cli(shop, "exec", "-q", "--", "dbt", "compile", "--inline", inline)
    assert "report" in shop.names()


def test_the_catalog_of_docs_has_every_relation(cli: Cli, shop: DbtProject) -> None:
    cli(shop, "exec", "--", "dbt", "docs", "generate", "-s", "orders")
    assert shop.names() == RAW | {"orders"}
    cli(shop, "exec", "--", "dbt", "docs", "generate")
    catalog = json.loads((shop.folder / "target" / "catalog.json").read_text())
    assert {node["metadata"]["name"] for node in catalog["nodes"].values()} >= SHOP_NAMES


def test_when_it_fails_the_command_does_not_run(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/totals.sql": "select nowhere from {{ ref('orders') }}"})
    failed = cli(shop, "exec", "--", "dbt", "show", "-s", "report", code=1)
    assert "models/totals.sql" in failed.stderr
    assert failed.stdout == ""
    unknown = cli(shop, "exec", "--", "dbt", "show", "-s", "no_such", code=None)
    assert "Traceback" not in unknown.output, "that a name is wrong is for dbt to say"


def test_a_source_that_a_seed_makes_is_read_too(cli: Cli, shop: DbtProject) -> None:
    shop.write(
        {
            "models/s.yml": "sources: [{name: raw, schema: main, tables: [{name: raw_orders}]}]",
            "models/of_source.sql": "select id from {{ source('raw', 'raw_orders') }}",
        }
    )
    assert "3" in cli(shop, "exec", "--", "dbt", "show", "-s", "of_source").stdout
    assert shop.names() == {"raw_orders"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["show", "-s", "a", "b", "--limit", "5"], ["--select", "a", "b"]),
        (["compile", "--select=a", "--exclude", "c", "-t", "dev"], ["--select", "a", "--exclude", "c"]),
        (["docs", "generate", "--selector", "night"], ["--selector", "night"]),
        (["--quiet", "show", "-m", "a", "--state", "old"], ["--select", "a", "--state", "old"]),
        (["show", "--inline", "select 1"], []),
        (["docs", "serve"], None),
        (["show", "--help"], None),
        (["show", "--defer", "-s", "a"], None),
        (["show", "--inline-direct", "select 1"], None),
        (["run", "-s", "a"], None),
    ],
)
def test_the_selection_is_found_in_the_arguments_of_dbt(arguments: list[str], expected: Any) -> None:
    found = reads_of(arguments)
    assert (found and found["selection"]) == expected
