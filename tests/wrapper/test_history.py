"""What only the wrapper can record: attempts that failed, those that it built. Repeated failures."""

from __future__ import annotations

import json

import pytest
from support import DbtProject
from wrapper.conftest import SHOP_NAMES, Cli

pytestmark = pytest.mark.duckdb


@pytest.fixture
def recording(shop: DbtProject) -> DbtProject:
    """The project with a history."""
    shop.configure(vars={"dbt_selfheal": {"history": True, "timeout_seconds": 200}})
    return shop


def test_a_failed_attempt_is_recorded_with_its_cause(recording: DbtProject, cli: Cli) -> None:
    good = (recording.folder / "models/orders.sql").read_text()
    recording.write({"models/orders.sql": good.replace("o.amount", "o.no_such_column")})
    done = cli(recording, "ensure", "--json", code=1).document
    rows = recording.query("select state, command, way, missing, built, step, error from selfheal_attempts")
    assert [tuple(row[:6]) for row in rows] == [
        ("failed", "dbt-selfheal ensure", "hook", 5, 2, "build_foundation")
    ]
    assert "no_such_column" in rows[0][6]
    nodes = recording.query("select unique_id from selfheal_nodes order by position")
    assert {row[0] for row in nodes} == {"seed.shop.raw_customers", "seed.shop.raw_orders"}
    steps = recording.query("select step_name, success from selfheal_steps order by position")
    assert ("build_foundation", False) in [tuple(row) for row in steps]
    assert done["success"] is False

    recording.write({"models/orders.sql": good})
    cli(recording, "exec", "--", "dbt", "run", "--select", "report")
    states = recording.query("select state, command from selfheal_attempts order by started_at")
    assert [tuple(row) for row in states] == [("failed", "dbt-selfheal ensure"), ("completed", "dbt run")]
    assert recording.names() >= SHOP_NAMES


def test_what_the_wrapper_builds_natively_is_recorded(recording: DbtProject, cli: Cli) -> None:
    cli(recording, "ensure", "--threads", "2")
    rows = recording.query("select state, way, missing, built from selfheal_attempts")
    assert [tuple(row) for row in rows] == [("completed", "native", 5, 5)]
    assert recording.query("select count(*) from selfheal_nodes")[0][0] == 5


def test_after_five_failures_in_a_row_the_next_attempt_waits(shop: DbtProject, cli: Cli) -> None:
    for _ in range(5):
        failed = cli(shop, "ensure", "--min-free-mb", "1e12", code=6)
        assert "in a row" not in failed.stderr
    forced = cli(shop, "ensure", "--min-free-mb", "1e12", "--force", code=6)
    assert "in a row" not in forced.stderr
    waits = cli(shop, "ensure", "--min-free-mb", "1e12", code=6)
    assert "6 attempts in a row have failed within 10 minutes; waiting" in waits.said
    assert "--force" in waits.stderr
    assert waits.seconds > 1
    cli(shop, "ensure", "--force")
    lines = (shop.folder / "target/dbt_selfheal/attempts.jsonl").read_text().splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["failed"] * 7 + ["completed"]
    ready = cli(shop, "ensure")
    assert "in a row" not in ready.stderr
