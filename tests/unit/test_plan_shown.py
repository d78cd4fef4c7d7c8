"""A plan as a tree, as Markdown and as annotations: what people see of each thing that a plan can say."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from dbt_selfheal.terminal.plan import github, headline, markdown, print_plan


def step(name: str, *parents: str, **values: Any) -> dict[str, Any]:
    """Returns a step of a plan."""
    return {
        "unique_id": f"model.shop.{name}", "name": name, "resource_type": "model", "tier": "foundation",
        "materialization": "table", "relation": f'"db"."main"."{name}"', "path": f"models/{name}.sql",
        "reason": "declared required", "required": True, "refusal": None, "cloned_from": None,
        "parents": [f"model.shop.{parent}" for parent in parents], "expected_seconds": None, **values,
    }  # fmt: skip


def plan(*steps: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Returns a plan."""
    return {
        "state": "incomplete", "enabled": True, "required": {each["unique_id"]: "" for each in steps},
        "steps": list(steps), "present": [], "postponed": [], "missing_sources": [],
        "command": "dbt build --select a",
        "way": "hook", "way_reason": "", "blocked": None, **values,
    }  # fmt: skip


def shown(capsys: pytest.CaptureFixture[str], found: dict[str, Any]) -> list[str]:
    """Returns the lines of a tree, which fit into 80 columns."""
    print_plan(found, "dbt-selfheal ensure")
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 80
    return lines


def test_what_is_read_is_below_and_each_node_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(
        step("a", expected_seconds=0.5, required=False),
        step("b", "a", expected_seconds=1.5, materialization="view", required=False),
        step("leaf", "b", "a"),
        present=["model.shop.there"],
    )
    assert shown(capsys, found) == [
        "3 relations are missing, about 3.0 s by earlier runs; 1 there stays as it is",
        "Why: declared required",
        "",
        "3  main.leaf  table",
        "├── 2  main.b  view  1.5 s",
        "│   └── 1  main.a  table  0.5 s",
        "└── 1  main.a (above)",
        "",
        "There, and untouched: there",
        "Build them with: dbt-selfheal ensure",
    ]


def test_two_reasons_are_each_beside_their_node(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, plan(step("a", reason="declared required (tag:x)"), step("b", "a")))
    assert "Why:" not in "".join(lines)
    assert lines[2:6] == [
        "2  main.b  table",
        "   declared required",
        "└── 1  main.a  table",
        "       declared required (tag:x)",
    ]


def test_a_refused_node_says_why_and_with_what_it_is_built(capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(step("a", refusal="Python models run outside"), step("b", cloned_from="prod.b"))
    lines = shown(capsys, found)
    assert "   refused: Python models run outside (models/a.sql)" in lines
    assert "   cloned from prod.b" in lines
    assert "Build what is refused with: dbt build --select a" in lines
    native = shown(capsys, {**found, "way": "native", "way_reason": "a cannot be built from a hook"})
    assert "   not from a hook: Python models run outside (models/a.sql)" in native
    assert "In the order of the numbers, with dbt's own nodes: a cannot be built from a hook" in " ".join(
        native
    )


def test_what_is_said_of_a_node_stays_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(f"word{number}" for number in range(30))
    lines = shown(capsys, plan(step("a", refusal=words), step("b", "a"), step("c", "b")))
    assert lines[3:5] == ["3  main.c  table", "└── 2  main.b  table"]
    assert lines[5] == "    └── 1  main.a  table"
    assert lines[6].startswith("           refused: word0")
    assert lines[7].startswith("           word"), "what does not fit into the line is indented too"


def test_what_ensure_would_not_build_is_not_promised(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, plan(step("a"), blocked="vars.dbt_selfheal.on_missing is fail"))
    assert "Not built by ensure: vars.dbt_selfheal.on_missing is fail" in lines
    assert lines[-1] == "Build them with: dbt build --select a"


def test_a_missing_source_is_named_in_each_form(capsys: pytest.CaptureFixture[str]) -> None:
    source = {
        "unique_id": "source.shop.bank.payments", "name": "bank.payments",
        "relation": '"db"."bank"."payments"', "read_by": "model.shop.a", "stops": True, "message": "...",
    }  # fmt: skip
    found = plan(step("a"), missing_sources=[source], blocked='there is no source bank.payments ("db"...)')
    lines = shown(capsys, found)
    assert 'Missing source: bank.payments ("db"."bank"."payments"), read by a' in lines
    assert lines[-1].startswith("Not built by ensure: there is no source"), "no command would build them"
    assert "Missing source: bank.payments" in markdown(found, "dbt-selfheal ensure")
    assert "::error title=dbt-selfheal plan::missing source: bank.payments" in github(found, "shop", Path())
    lines = shown(capsys, plan(step("a"), missing_sources=[{**source, "stops": False, "read_by": None}]))
    assert 'Missing source: bank.payments ("db"."bank"."payments")' in lines
    assert lines[-1] == "Build them with: dbt-selfheal ensure"


def test_a_long_chain_goes_on_further_down(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"a_rather_long_name_{number:02}" for number in range(30)]
    found = plan(step(names[0]), *(step(name, before) for before, name in itertools.pairwise(names)))
    lines = shown(capsys, found)
    whole = [line for line in lines if "  table" in line]
    assert len(whole) == 30, "each node has one line of its own"
    assert sum("(below)" in line for line in lines) == 3


def test_nothing_missing_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(required={"model.shop.a": ""}, present=["model.shop.a"])
    assert shown(capsys, found) == ["The one required relation exists. Nothing to build."]
    assert markdown(found, "x") == f"**{headline(found)}**"
    assert github(found, "shop", Path()) == headline(found)


def test_markdown_and_annotations_hold_what_could_break_them() -> None:
    odd = step("a", reason="a | b\nc, 100%", path="models/a,b:c.sql", refusal="no")
    of_package = {**step("b"), "unique_id": "model.other.b"}
    table = markdown(plan(odd, of_package), "dbt-selfheal ensure")
    assert r"a \| b c, 100%" in table
    lines = github(plan(odd, of_package), "shop", Path("dbt")).splitlines()
    assert lines[0].startswith("::error file=dbt/models/a%2Cb%3Ac.sql,title=dbt-selfheal plan::table main.a")
    assert "a | b%0Ac, 100%25" in lines[0]
    assert lines[1].startswith("::warning title="), "a package's files are not in the repository"
