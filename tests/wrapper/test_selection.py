"""What is required is selected in dbt's own words, and dbt itself answers; also in Python."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from support import ROOT, DbtProject
from wrapper.conftest import Cli

from dbt_selfheal import AutoInitializer, ConfigurationError, TableExistenceChecker

pytestmark = pytest.mark.duckdb
INSIDE = ROOT / "src" / "dbt_selfheal" / "engine" / "inside"
MORE = {
    "models/marts/core.sql": "{{ config(tags=['core'], group='money') }} select * from {{ ref('orders') }}",
    "models/marts/late.sql": "{{ config(tags=['core', 'nightly'], materialized='table') }} select 1 as id",
    "models/groups.yml": "groups: [{name: money, owner: {name: Ada}}]\n"
    "exposures: [{name: board, type: dashboard, owner: {name: Ada}, depends_on: [ref('report')]}]\n",
    "models/v_v1.sql": "select 1 as id",
    "models/v_v2.sql": "select 2 as id",
    "models/v.yml": "models: [{name: v, latest_version: 2, versions: [{v: 1}, {v: 2}]}]",
    "models/off.sql": "{{ config(enabled=false) }} select 1 as id",
    "selectors.yml": "selectors:\n  - name: night\n    definition:\n      union:\n"
    "        - {method: tag, value: nightly}\n        - {method: fqn, value: orders, parents: true}\n",
}
RAW = ["raw_customers", "raw_orders"]
CASES: dict[str, list[str]] = {
    "orders": ["orders"],
    "+orders": [*RAW, "orders"],
    "1+report": ["report", "totals"],
    "orders+1": ["core", "orders", "totals"],
    "totals+": ["report", "totals"],
    "@totals": [*RAW, "orders", "report", "totals"],
    "raw_*": RAW,
    "tag:core": ["core", "late"],
    "tag:core,tag:nightly": ["late"],
    "tag:core,orders+": ["core"],
    "orders totals": ["orders", "totals"],
    "path:models/marts": ["core", "late"],
    "file:core.sql": ["core"],
    "fqn:shop.marts.*": ["core", "late"],
    "package:shop,resource_type:seed": RAW,
    "group:money": ["core"],
    "config.materialized:table,+report": ["orders", "report"],
    "+exposure:board": [*RAW, "orders", "report", "totals"],
    "v.v1": ["v_v1"],
    "version:latest": ["v"],
    "tag:core --exclude late": ["core"],
    "--exclude tag:core v resource_type:seed": ["orders", "report", "totals"],
    "--selector night": [*RAW, "late", "orders"],
}
DRIVER = """
import json, os, sys
from dbt_selfheal_supervisor import Reporter
from selfheal_invocations import FailedError, Invocations
from selfheal_selection import entries, select
read, write = os.pipe()
dbt = Invocations({"arguments": []}, Reporter(write))
dbt.parse()
answers = []
for arguments in json.load(sys.stdin):
    try:
        found = select(dbt, arguments)
        answers.append([found, entries(dbt, found)])
    except FailedError:
        answers.append(os.read(read, 9999).decode().splitlines()[-1])
os.write(3, json.dumps(answers).encode())
"""


@pytest.fixture
def many(shop: DbtProject) -> DbtProject:
    """The project with tags, groups, versions, an exposure and a selector."""
    shop.write(MORE)
    return shop


def answers(project: DbtProject, cli: Cli, selections: list[list[str]]) -> list[Any]:
    """Returns what dbt, started once, answers to each selection; for a wrong one, what is said."""
    out = project.folder / "answers.json"
    with out.open("wb") as file:
        subprocess.run(
            ["bash", "-c", f'exec "$0" -c "$1" 3>&{file.fileno()}', sys.executable, DRIVER],
            input=json.dumps(selections),
            text=True,
            cwd=project.folder,
            env={**cli.variables(), "PYTHONPATH": str(INSIDE)},
            stdout=subprocess.DEVNULL,
            pass_fds=[file.fileno()],
            check=True,
        )
    found: list[Any] = json.loads(out.read_text())
    return found


def _arguments(text: str) -> list[str]:
    return text.split(" ") if text.startswith("--") else ["--select", *text.split(" ")]


def test_every_form_is_answered_by_dbt(many: DbtProject, cli: Cli) -> None:
    names = {"v_v2": "v"}
    for (text, expected), found in zip(
        CASES.items(), answers(many, cli, [_arguments(text) for text in CASES]), strict=True
    ):
        shown = ["_".join(unique_id.split(".")[2:]) for unique_id in found[0]]
        assert sorted(names.get(name, name) for name in shown) == sorted(expected), text
        assert len(found[1]) == len(expected)


def test_what_matches_nothing_is_named_with_what_is_near(many: DbtProject, cli: Cli) -> None:
    wrong = [["--select", "ordrs+"], ["--select", "tag:no"], ["--select", "off"], ["--exclude", "nope"]]
    wrong += [["--select", "nomethod:x"], ["--selector", "no_such"]]
    found = answers(many, cli, wrong)
    for text, part in zip(
        found,
        ("did you mean orders", "'tag:no'", "disabled (models/off.sql)", "'nope'", "nomethod", "no_such"),
        strict=True,
    ):
        assert part in text, text


def test_the_command_requires_what_is_selected(many: DbtProject, cli: Cli) -> None:
    plan = cli(many, "plan", "--json", "-s", "+orders", "-s", "v.v1", "--exclude", "raw_orders").document
    reasons = {step["name"]: step["reason"] for step in plan["steps"] if step["required"]}
    assert reasons == {"raw_customers": "selected", "orders": "selected", "v": "selected"}
    assert [step["name"] for step in plan["steps"] if not step["required"]] == ["raw_orders"], "it is read"
    assert [name for name in plan["required"] if ".v." in name] == ["model.shop.v.v1"]
    result = cli(many, "ensure", "--json", "--selector", "night").document
    assert sorted(result["tables_created"]) == [*["late", "orders"], *RAW]
    assert cli(many, "ensure", "--json", "--selector", "night").document["way"] == "warm"
    assert cli(many, "status", "--json", "-s", "@orders", code=1).document["state"] == "incomplete"
    cli(many, "exec", "-q", "-s", "orders+1", "--", "true")
    assert many.names() == {*RAW, "orders", "late", "core", "totals"}


def test_a_wrong_selection_is_refused(many: DbtProject, cli: Cli) -> None:
    for arguments in (["-s", "ordrs"], ["-s", "tag:core,report"]):
        failed = cli(many, "plan", "--json", *arguments, code=7)
        assert failed.error["code"] == "selfheal-selection-wrong"
    assert "selects no enabled seed, snapshot or model" in failed.error["message"]
    cli(many, "plan", "--selector", "night", "-s", "orders", code=2)
    cli(many, "exec", "--exclude", "a", "--", "dbt", "run", code=2)


def test_state_is_asked_each_time(many: DbtProject, cli: Cli) -> None:
    many.dbt("parse", "--target-path", "before")
    many.write({"models/marts/late.sql": "{{ config(materialized='table') }} select 2 as id"})
    env = {"DBT_STATE": str(many.folder / "before")}
    first = cli(many, "ensure", "--json", "-s", "state:modified", env=env).document
    assert first["tables_created"] == ["late"]
    again = cli(many, "ensure", "--json", "-s", "state:modified", env=env).document
    assert (again["way"], again["state"]) == ("none", "completed"), "not warm: the state may be another one"


def test_the_python_interface_takes_the_same_words(many: DbtProject, monkeypatch: Any) -> None:
    monkeypatch.setenv("DBT_PROFILES_DIR", str(many.folder))
    monkeypatch.chdir(many.folder)
    checker = TableExistenceChecker(many.folder, select=["+orders"], exclude=["raw_orders"])
    assert {table.name for table in checker.get_missing_tables()} == {"orders", "raw_customers"}
    done = AutoInitializer(many.folder, selector="night", timeout_seconds=200).ensure_initialized()
    assert sorted(done.tables_created) == [*["late", "orders"], *RAW]
    assert TableExistenceChecker(many.folder, selector="night").is_initialized()
    with pytest.raises(ConfigurationError, match="did you mean orders"):
        AutoInitializer(many.folder, select=["ordrs"]).ensure_initialized()
    with pytest.raises(ConfigurationError, match="--selector"):
        AutoInitializer(many.folder, select=["orders"], selector="night")
