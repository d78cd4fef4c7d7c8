"""plan: what is missing as a tree and in other forms, and what ensure would do; ensure --interactive asks."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import Any

import pytest
from support import DbtProject
from wrapper.conftest import COMMAND, SHOP_NAMES, Cli

pytestmark = pytest.mark.duckdb


def test_the_tree_has_what_is_missing_what_stays_and_the_times_of_earlier_runs(
    cli: Cli, shop: DbtProject
) -> None:
    shop.write({"models/orders.sql": (shop.folder / "models/orders.sql").read_text() + "-- again\n"})
    assert cli(shop, "plan").stdout.splitlines()[3:-2] == [
        "5  main.report  table",
        "└── 4  main.totals  view",
        "    └── 3  main.orders  table",
        "        ├── 2  main.raw_orders  seed",
        "        └── 1  main.raw_customers  seed",
    ]
    cli(shop, "ensure")
    shop.drop("report")
    shop.execute("drop view totals")
    shown = cli(shop, "plan", "-q").stdout
    assert "2 relations are missing, about " in shown
    assert "3 there stay as they are" in shown
    assert "There, and untouched: orders, raw_customers, raw_orders" in shown
    steps = cli(shop, "plan", "--json").document["steps"]
    assert [step["parents"] for step in steps] == [["model.shop.orders"], ["model.shop.totals"]]
    assert all(step["expected_seconds"] > 0 for step in steps)


def test_dbt_retry_still_repeats_the_users_own_command(cli: Cli, shop: DbtProject) -> None:
    """Every operation of dbt writes run_results.json; looking at a plan forgets no failed command."""
    cli(shop, "ensure")
    shop.write({"models/totals.sql": "select no_such_column from {{ ref('orders') }}\n"})
    shop.dbt("build", "-s", "orders", "totals", "report", check=False)
    failed = (shop.folder / "target" / "run_results.json").read_bytes()
    shop.drop("report")
    shop.write(
        {"models/totals.sql": "select name, sum(amount) as total from {{ ref('orders') }} group by name\n"}
    )
    cli(shop, "plan")
    cli(shop, "ensure")
    assert (shop.folder / "target" / "run_results.json").read_bytes() == failed
    assert shop.dbt("retry").statuses == {"totals": "success", "report": "success"}


def test_the_way_is_the_one_that_earlier_runs_expect_to_be_faster(cli: Cli, shop: DbtProject) -> None:
    """By the seconds of earlier runs, or of dbt's last, and the threads of the profile; and it says so."""
    assert cli(shop, "plan", "--json").document["way_reason"] == (
        "5 are missing, and it is not known how long they take"
    )
    cli(shop, "ensure")
    file = shop.folder / "target" / "dbt_selfheal" / "durations.json"
    learnt = json.loads(file.read_text())
    shop.drop("report", "orders", "raw_orders")
    shop.execute("drop view totals")
    assert cli(shop, "plan", "--json").document["way"] == "hook", "too little is saved"
    file.write_text(json.dumps({**dict.fromkeys(learnt, 100.0)}))
    shop.drop("raw_customers")
    plan = cli(shop, "plan", "--json").document
    assert plan["way"] == "native"
    assert plan["way_reason"].startswith(
        "5 are missing, about 500.0 s one after the other and 400.0 s with 2 "
    )
    finished = cli(shop, "ensure", "--timeout", "200")
    assert "why this way: 5 are missing, about 500.0 s one after the other" in finished.said
    file.unlink()
    shop.dbt("run", "-s", "report")
    shop.drop("report")
    assert "by earlier runs" in cli(shop, "plan", "--json").document["way_reason"], "run_results.json"


def test_what_is_missing_is_an_exit_code_and_has_other_forms(cli: Cli, shop: DbtProject) -> None:
    arguments = ("plan", "--check", "-s", "report")
    assert cli(shop, *arguments, "--format", "json", code=1).envelope["success"] is False
    annotations = cli(shop, *arguments, "--format", "github", code=1).stdout.splitlines()
    assert annotations[-2].startswith("::warning file=models/report.sql,title=dbt-selfheal plan::table")
    table = cli(shop, *arguments, "--format", "markdown", code=1).stdout
    assert "| 5 | `main.report` | table |" in table
    assert "dbt-selfheal ensure --select report" in table
    cli(shop, "plan", "--format", "github", env={"DBT_SELFHEAL_CHECK": "false"})
    cli(shop, "ensure", "-s", "report")
    assert "Nothing to build" in cli(shop, *arguments).stdout


def test_the_plan_says_what_ensure_will_do(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/doubled.py": "def model(dbt, session):\n    return dbt.ref('orders')\n"})
    plan = cli(shop, "plan", "--json", "-s", "doubled").document
    assert (plan["way"], plan["blocked"]) == ("native", None)
    assert cli(shop, "ensure", "--json", "-s", "doubled").document["way"] == "native"
    shop.drop("doubled")
    shop.configure(vars={"dbt_selfheal": {"on_missing": "fail"}})
    shown = cli(shop, "plan", "-s", "doubled").stdout
    assert "Not built by ensure: vars.dbt_selfheal.on_missing is fail" in shown
    assert "Build them with: dbt build --select doubled" in shown
    cli(shop, "ensure", "-s", "doubled", code=None)
    assert "doubled" not in shop.names()


def answered(project: DbtProject, cli: Cli, answer: str) -> tuple[int, str]:
    """Returns exit code and output of `ensure --interactive` on a terminal on which somebody answers."""
    master, slave = pty.openpty()
    command: list[Any] = [*COMMAND, "ensure", "--interactive"]
    process = subprocess.Popen(
        command, cwd=project.folder, env=cli.variables(), stdin=slave, stdout=subprocess.PIPE, stderr=slave
    )
    os.close(slave)
    os.write(master, answer.encode() + b"\n")
    assert process.stdout is not None
    shown = process.stdout.read().decode()
    process.wait()
    os.close(master)
    return process.returncode, shown


def test_interactive_shows_the_plan_and_asks(cli: Cli, shop: DbtProject) -> None:
    code, shown = answered(shop, cli, "n")
    assert (code, shop.names()) == (1, set())
    assert "5 relations are missing" in shown
    assert shown.endswith("Nothing was built.\n")
    code, shown = answered(shop, cli, "y")
    assert (code, shop.names()) == (0, SHOP_NAMES)
    nobody = cli(shop, "ensure", "--interactive")
    assert "unchanged since the last run" in nobody.stdout, "nothing is missing, so nobody is asked"
    shop.drop("report")
    assert "nobody is there to answer" in cli(shop, "ensure", "--interactive", code=1).stderr
    cli(shop, "ensure", "--interactive", "--json", code=2)
