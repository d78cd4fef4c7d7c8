"""--help says what can be set, how and to what; the shell completes the names of the project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support import DbtProject
from wrapper.conftest import COMMAND, Cli

from dbt_selfheal.cli import cli as group
from dbt_selfheal.terminal.help import GROUPS

pytestmark = pytest.mark.duckdb


def commands(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    """Yields all commands, each as the words that are typed."""
    yield names
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, *names, name)


def find(names: tuple[str, ...]) -> click.Command:
    """Returns a command by its words."""
    found: click.Command = group
    for name in names:
        assert isinstance(found, click.Group)
        found = found.commands[name]
    return found


def help_of(*names: str) -> str:
    """Returns a help as a terminal of 80 columns shows it."""
    env = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run([*COMMAND, *names, "--help"], capture_output=True, text=True, check=True, env=env)
    return done.stdout


@pytest.mark.parametrize("names", list(commands(group)), ids=" ".join)
def test_help_has_groups_variables_defaults_and_an_example_in_80_columns(names: tuple[str, ...]) -> None:
    shown = help_of(*names)
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "Example" in shown
    assert "\n  dbt-selfheal " in shown or "\n  export " in shown, "examples keep their indentation"
    headings = [line.strip().rstrip(":") for line in shown.splitlines()]
    positions = [headings.index(name) for name in GROUPS if name in headings]
    assert positions == sorted(positions)
    words = " ".join(shown.split())
    for parameter in find(names).params:
        if isinstance(parameter, click.Option) and parameter.name not in ("help", "version"):
            assert str(parameter.envvar).startswith("DBT_SELFHEAL_"), parameter.name
            assert f"[env:{parameter.envvar}]" in words, parameter.name
            assert str(parameter.help) in words
            assert getattr(parameter, "panel", None) in GROUPS
            if isinstance(parameter.show_default, str):
                assert f"[default: ({parameter.show_default})]" in words, parameter.name


def test_a_variable_is_as_good_as_its_option_and_what_is_typed_wins(cli: Cli, shop: DbtProject) -> None:
    env = {"DBT_SELFHEAL_JSON": "true", "DBT_SELFHEAL_TARGET": "nowhere"}
    failed = cli(shop, "plan", env=env, code=7)
    assert "nowhere" in failed.error["message"]
    wrong = cli(shop, "plan", "--no-such-option", env=env, code=2)
    assert wrong.error["code"] == "selfheal-usage"
    chosen = {"DBT_SELFHEAL_JSON": "true", "DBT_SELFHEAL_SELECT": "raw_orders raw_customers"}
    both = cli(shop, "plan", env=chosen).document
    assert {step["name"] for step in both["steps"]} == {"raw_orders", "raw_customers"}
    one = cli(shop, "plan", "-s", "raw_orders", env=chosen).document
    assert {step["name"] for step in one["steps"]} == {"raw_orders"}
    cli(shop, "exec", "--", "dbt", "run", "-s", "orders", env=chosen)


def offered(project: DbtProject, cli: Cli, *words: str) -> list[str]:
    """Returns what bash itself offers for the last word."""
    script = 'eval "$(_DBT_SELFHEAL_COMPLETE=bash_source dbt-selfheal)"; COMP_WORDS=("$@"); '
    script += "COMP_CWORD=$(($# - 1)); _dbt_selfheal_completion dbt-selfheal; "
    script += "printf '%s\\n' \"${COMPREPLY[@]}\""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script, "bash", "dbt-selfheal", *words],
        cwd=project.folder,
        env={**cli.variables(), "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in done.stderr
    return done.stdout.split()


def test_bash_completes_commands_options_targets_and_selections(cli: Cli, shop: DbtProject) -> None:
    assert offered(shop, cli, "ens") == ["ensure"]
    assert "--lock-timeout" in offered(shop, cli, "ensure", "--lo")
    (target,) = offered(shop, cli, "ensure", "--target", "")
    profile = offered(shop, cli, "ensure", "--profile", "")
    assert len(profile) == 1
    assert offered(shop, cli, "ensure", "--profile", profile[0], "-t", target[:1]) == [target]
    assert offered(shop, cli, "ensure", "-s", "raw_") == ["raw_customers", "raw_orders"], "of the files"
    shop.write({"models/marts/late.sql": "{{ config(tags=['nightly']) }} select 1 as id"})
    shop.dbt("parse")
    assert offered(shop, cli, "plan", "-s", "la") == ["late"]
    assert offered(shop, cli, "plan", "-s", "tag:n") == ["tag:nightly"]
    assert offered(shop, cli, "plan", "-s", "path:models/m") == ["path:models/marts"]
    assert offered(shop, cli, "plan", "-s", "2+la") == ["2+late"]
    assert offered(shop, cli, "plan", "-s", "tag:nightly,@la") == ["tag:nightly,@late"]


def test_what_cannot_be_read_offers_nothing(cli: Cli, shop: DbtProject) -> None:
    shop.write({"profiles.yml": "{", "dbt_project.yml": "{", "target/manifest.json": "{"})
    assert offered(shop, cli, "plan", "--target", "") == []
    assert offered(shop, cli, "plan", "--profile", "") == []
    assert "orders" in offered(shop, cli, "plan", "-s", "ord")
