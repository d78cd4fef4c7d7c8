"""docs/json.md is true: what every command prints with --json is as its model and its JSON Schema say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
import jsonschema
import pytest
from support import ROOT, DbtProject
from wrapper.conftest import SHOP, Cli, Finished
from wrapper.test_migrate import ADMIN, HASH, USERS, migration

from dbt_selfheal.cli import cli as group
from dbt_selfheal.contract.schemas import DOCUMENTS, file_name

pytestmark = [pytest.mark.duckdb, pytest.mark.both_packages]
ARGUMENTS = {"migrate create": ["x"], "migrate baseline": ["0001"], "migrate repair": ["0001", "rerun"]}


def holds(finished: Finished, command: str) -> dict[str, Any]:
    """Returns a document, which must be as it is documented: no key is missing, and none is new."""
    document = finished.envelope
    schema = json.loads((ROOT / "docs" / "schemas" / file_name(command)).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["command"] == command
    assert document["exit_code"] == abs(finished.returncode)
    model = DOCUMENTS[command].model_validate(document)
    assert json.loads(model.model_dump_json(by_alias=True, exclude_unset=True)) == document
    return document


def with_json(command: click.Command, name: str = "") -> Iterator[str]:
    """Yields the commands that have the option --json."""
    if isinstance(command, click.Group):
        for each, child in command.commands.items():
            yield from with_json(child, f"{name} {each}".strip())
    elif any("--json" in parameter.opts for parameter in command.params):
        yield name


def test_every_command_with_json_has_a_model() -> None:
    assert sorted(with_json(group)) == sorted(DOCUMENTS)


def test_schemas_and_tables_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_schemas", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_key_has_a_meaning() -> None:
    rows = [line for line in (ROOT / "docs" / "json.md").read_text().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert not [row for row in rows if re.search(r"\|\s+\|$", row)]


def test_the_results_of_healing(cli: Cli, shop: DbtProject) -> None:
    shop.write_profile(path="warehouse.duckdb")
    assert holds(cli(shop, "plan", "--json"), "plan")["result"]["steps"]
    assert holds(cli(shop, "status", "--json", code=1), "status")["error"] is None
    supervised = holds_last(cli(shop, "exec", "--json", "-q", "--", "dbt", "run", "-s", "orders"), "exec")
    assert sorted(supervised["result"]["tables_created"]) == ["raw_customers", "raw_orders"]
    assert supervised["result"]["state"] == "completed"
    assert holds(cli(shop, "ensure", "--json"), "ensure")["result"]["state"] == "completed"
    assert holds(cli(shop, "exec", "--json", "--", "true"), "exec")["result"]["way"] == "warm"
    assert holds(cli(shop, "plan", "--json"), "plan")["result"]["steps"] == []
    assert holds(cli(shop, "status", "--json"), "status")["result"]["last_attempt"]
    assert holds(cli(shop, "recreate", "--yes", "--json"), "recreate")["result"]["moved"]
    assert holds(cli(shop, "recreate", "--yes", "--json"), "recreate")["result"]["moved"] == []


def holds_last(finished: Finished, command: str) -> dict[str, Any]:
    """The same, for a document after what dbt has printed."""
    start = finished.stdout.index("{\n")
    return holds(Finished(finished.returncode, finished.stdout[start:], "", 0.0), command)


def test_a_healing_that_fails_has_its_steps_and_an_error(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/orders.sql": "select nowhere from {{ ref('raw_orders') }}\n"})
    document = holds(cli(shop, "ensure", "--json", code=1), "ensure")
    assert "nowhere" in document["error"]["message"]
    assert document["error"]["remedy"]
    assert document["result"]["tables_created"] == ["raw_customers", "raw_orders"]
    failed = holds_last(cli(shop, "exec", "--json", "--", "dbt", "run", "-s", "totals", code=1), "exec")
    assert "nowhere" in failed["error"]["message"]


def test_a_failed_node_is_no_error_of_exec(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/broken.sql": "select nowhere from {{ ref('report') }}\n"})
    document = holds_last(cli(shop, "exec", "--json", "--", "dbt", "run", "-s", "broken", code=1), "exec")
    assert (document["error"], document["success"]) == (None, False)
    assert document["result"]["state"] == "completed", "healing has succeeded"


def test_the_results_of_the_second_package(cli: Cli, make_project: Callable[..., DbtProject]) -> None:
    settings = {"timeout_seconds": 200, "initial_data": [ADMIN], "history": True}
    tests = {"models/schema.yml": "models: [{name: orders, columns: [{name: id, data_tests: [unique]}]}]"}
    more = migration(2, "create table {s}.more (id integer)", "drop table {s}.more")
    project = make_project({**SHOP, **tests, **USERS, **more}, config={"vars": {"dbt_selfheal": settings}})

    def run(command: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        env = {"ADMIN_HASH": HASH}
        return holds(cli(project, *command.split(), *arguments, "--json", code=code, env=env), command)

    assert run("migrate status", code=1)["result"]["state"] == "pending"
    assert len(run("migrate up", "--dry-run")["result"]["migrations"]) == 2
    assert len(run("migrate up")["result"]["applied"]) == 2
    assert run("migrate down", "--dry-run")["result"]["migrations"]
    assert run("migrate down")["result"]["rolled_back"]
    assert run("migrate baseline", "0002")["result"]["migrations"] == ["migration__0002__m2"]
    assert run("migrate repair", "0002", "mark-failed")["result"]["state_before"] == "applied"
    assert len(run("migrate history")["result"]["history"]) > 2
    assert run("migrate validate")["result"]["valid"]
    assert run("initial-data", "--dry-run")["result"]["tables"][0]["created"] == 2
    assert run("initial-data")["result"]["tables"][0]["created"] == 2
    assert run("schema validate", code=1)["result"]["issues"]
    cli(project, "ensure", env={"ADMIN_HASH": HASH})
    project.drop("totals")
    assert run("schema repair")["result"]["actions"]
    assert run("health", code=8)["result"]["verdict"] == "broken"
    off = cli(project, "migrate", "baseline", "0002", "--json", env={"DBT_SELFHEAL_ENABLED": "false"})
    assert holds(off, "migrate baseline")["result"] is None


def test_an_error_has_the_same_envelope(cli: Cli, shop: DbtProject) -> None:
    """Of a project that is not there, and of a wrong command line."""
    (shop.folder / "dbt_project.yml").unlink()
    for command in set(DOCUMENTS) - {"health"}:
        arguments = ["--", "dbt", "run"] if command == "exec" else ARGUMENTS.get(command, [])
        document = holds(cli(shop, *command.split(), "--json", *arguments, code=7), command)
        assert document["error"]["code"] == "selfheal-project-missing"
        assert document["error"]["remedy"]
    for command in DOCUMENTS:
        document = holds(cli(shop, *command.split(), "--json", "--no-such-option", code=2), command)
        assert (document["error"]["code"], document["result"]) == ("selfheal-usage", None)
        assert "--no-such-option" in document["error"]["message"]


def test_health_has_the_error_of_a_page_that_cannot_be_written(cli: Cli, shop: DbtProject) -> None:
    (shop.folder / "dbt_project.yml").unlink()
    assert holds(cli(shop, "health", "--json", code=8), "health")["result"]["verdict"] == "broken"
    finished = cli(shop, "health", "--json", "--html", "no/such/folder.html", code=9)
    assert holds(finished, "health")["error"]["code"] == "selfheal-page-not-written"


def test_nobody_to_answer_is_an_error_too(cli: Cli, shop: DbtProject) -> None:
    shop.write_profile(path="warehouse.duckdb")
    shop.write({"warehouse.duckdb": "damaged"})
    assert holds(cli(shop, "recreate", "--json", code=1), "recreate")["error"]["code"] == "selfheal-no-answer"
