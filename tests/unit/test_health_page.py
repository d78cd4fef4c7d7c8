"""The health page and the metrics, from reports."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_selfheal.health.metrics import metrics
from dbt_selfheal.health.page import BOX_WIDTH, MOST_NODES, graph, page, seconds, timeline, trend

WHEN = "2026-01-02T03:04:05.000Z"


def relation(name: str, *parents: str, state: str = "present") -> dict[str, Any]:
    """Returns a required relation."""
    return {
        "unique_id": name, "name": name, "resource_type": "model", "materialization": "table",
        "relation": f"main.{name}", "state": state, "parents": list(parents), "rows": 3, "file_rows": None,
    }  # fmt: skip


def attempt(state: str = "completed", duration: float = 2.0) -> dict[str, Any]:
    """Returns an attempt without steps."""
    return {
        "state": state, "started_at": WHEN, "completed_at": "2026-01-02T03:04:15.000Z", "error": None,
        "duration_seconds": duration, "missing": 1, "built": 1, "error_code": None, "steps": [], "nodes": [],
    }  # fmt: skip


def report(**values: Any) -> dict[str, Any]:
    """Returns a report."""
    check: dict[str, Any] = {
        "name": "lock",
        "status": "ok",
        "summary": "free",
        "what_to_do": None,
        "details": {},
    }
    return {
        "project": "shop", "target": "dev", "adapter": "duckdb", "schema": "main", "checked_at": WHEN,
        "verdict": "healthy", "checks": [check], "required": [], "issues": [], "attempts": [],
        "data_tests": [], "version": "0", **values,
    }  # fmt: skip


def test_parents_stand_left_of_their_children() -> None:
    found = graph([relation("c", "b", "a"), relation("a"), relation("b", "a"), relation("d", "d")])
    at = {box["name"]: box["x"] for box in found["boxes"]}
    assert at["a"] < at["b"] < at["c"]
    assert len(found["edges"]) == 4
    assert found["width"] > at["c"] + BOX_WIDTH


def test_of_a_large_graph_what_is_wrong_is_drawn_with_its_neighbours() -> None:
    chain = [relation(f"n{i}", *([f"n{i - 1}"] if i else [])) for i in range(MOST_NODES + 20)]
    chain[50]["state"] = "missing"
    found = graph(chain)
    assert {box["name"] for box in found["boxes"]} == {"n49", "n50", "n51"}
    assert found["left_out"] == MOST_NODES + 17


def test_bars_of_the_timeline_stay_inside() -> None:
    step = {
        "step_name": "verify", "name": "verify", "started_at": "2026-01-02T03:04:10.000Z",
        "duration_seconds": 99.0,
        "completed_at": "2026-01-02T03:04:15.000Z", "success": True,
    }  # fmt: skip
    (row,) = timeline({**attempt(), "steps": [step]})["rows"]
    assert (row["left"], row["width"]) == (50, 50)
    assert row["name"] == "Verifying initialization"


def test_a_trend_needs_two_attempts_and_counts_what_failed() -> None:
    assert trend([attempt()]) is None
    found = trend([attempt(), attempt("failed", 4.0), attempt()])
    assert found is not None
    assert (found["rate"], found["median"], found["longest"]) == (67, 2.0, 4.0)
    assert found["causes"] == [("unknown", 1)]
    assert [bar["ok"] for bar in found["bars"]] == [True, False, True]


@pytest.mark.parametrize(("value", "text"), [(None, ""), (0.004, "4 ms"), (2.04, "2.0 s"), (90, "1.5 min")])
def test_durations_are_readable(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_texts_of_others_are_escaped_and_nothing_is_loaded() -> None:
    evil = relation("<script>alert(1)</script>")
    text = page(report(required=[evil], attempts=[attempt("failed")], project="<b>"))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http://" not in text
    assert "https://" not in text


def test_metrics_have_the_labels_and_values_of_the_report() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    text = metrics(report(verdict="broken", required=[relation("a"), relation("b", state="missing")]))
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    common = (("project", "shop"), ("target", "dev"))
    assert values[("dbt_selfheal_verdict", *common)] == 2
    assert values[("dbt_selfheal_relations", *common[:1], ("state", "missing"), *common[1:])] == 1
    assert ("dbt_selfheal_round_trip_seconds", *common) not in values
