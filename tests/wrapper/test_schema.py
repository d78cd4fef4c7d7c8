"""The commands `schema validate` and `schema repair`: exit codes, options, JSON, what they leave alone."""

from __future__ import annotations

import pytest
from support import DbtProject
from wrapper.conftest import Cli

pytestmark = [pytest.mark.duckdb, pytest.mark.both_packages]
COLUMNS = """
models:
  - name: orders
    columns: [{name: id}, {name: amount}, {name: note, data_type: "varchar(20)"}]
  - name: report
    columns: [{name: total, data_type: integer}]
"""


@pytest.fixture
def drifted(shop: DbtProject, cli: Cli) -> DbtProject:
    """A built project in which a column, a view and a type are not as declared by now."""
    cli(shop, "ensure")
    shop.write({"models/schema.yml": COLUMNS})
    shop.drop("totals")
    return shop


def test_validate_says_what_differs_by_its_exit_code_too(drifted: DbtProject, cli: Cli) -> None:
    shown = cli(drifted, "schema", "validate", code=1)
    assert (
        "Schema: NOT as declared (5 relations compared; found: 1 critical, 1 error, 1 warning)"
        in shown.stdout
    )
    assert "CRITICAL main.totals: it does not exist" in shown.stdout

    report = cli(drifted, "schema", "validate", "--select", "report", "--json").document
    assert "event" not in report
    assert (report["valid"], report["severity"], report["relations"]) == (True, "warning", 1)
    assert [issue["code"] for issue in report["issues"]] == ["wrong_type"]
    cli(drifted, "schema", "validate", "--select", "report", "--strict", code=1)
    cli(drifted, "schema", "validate", "--select", "raw_orders", "--strict")

    wrong = cli(drifted, "schema", "validate", "--select", "nope", code=7)
    assert "the selection names 'nope'" in wrong.said


def test_repair_does_what_it_shows_when_told_to(drifted: DbtProject, cli: Cli) -> None:
    dry = cli(drifted, "schema", "repair")
    assert "Schema repair: 2 to do (dry run: nothing is done), 1 left" in dry.stdout
    assert "Do it with: dbt-selfheal schema repair --apply" in dry.stdout
    off = cli(drifted, "schema", "repair", "--apply", env={"DBT_SELFHEAL_ENABLED": "false"})
    assert "Schema repair: 2 to do (off in this target or by setting; nothing was done), 1 left" in off.stdout
    assert "Do it with" not in off.stdout
    assert "totals" not in drifted.names()

    done = cli(drifted, "schema", "repair", "--apply", "--select", "orders", "--json").document
    assert "event" not in done
    assert (done["applied"], [action["action"] for action in done["actions"]]) == (True, ["add column"])
    assert "totals" not in drifted.names()
    assert "Schema repair: 1 done, 1 left" in cli(drifted, "schema", "repair", "--apply").stdout
    assert "totals" in drifted.names()
    assert [name for name, _ in drifted.columns("orders")] == ["id", "name", "amount", "note"]
    assert len(drifted.rows("orders")) == 3
