"""docs/cli.md is true: its examples are run, and every command and option is in it.

With UPDATE_DOCS=1 the examples are written anew.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from support import ROOT, DbtProject
from wrapper.conftest import COMMAND, Cli

from dbt_selfheal.cli import cli as group

DOCS = ROOT / "docs" / "cli.md"
EXAMPLE = re.compile(r"<!-- run(?:: (?P<prepare>\w+))? -->\n```console\n(?P<text>.*?)```", re.DOTALL)
pytestmark = [pytest.mark.duckdb, pytest.mark.both_packages]


def _normal(text: str) -> str:
    """Returns an output without what differs between two runs."""
    text = re.sub(r"\s+\d+\.\d+ s\b", " 0.0 s", text)
    text = re.sub(r"\.+ \[\d+\.\d+ s\]", "... [0.0 s]", text)
    text = re.sub(r" \(about \d+ \w+\)", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "2025-01-01T00:00:00Z", text)
    text = re.sub(r"\d{8}T\d{6}Z", "20250101T000000Z", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _transcript(cli: Cli, project: DbtProject, text: str) -> str:
    """Runs the commands of an example; returns what a terminal would show."""
    lines, code = [], 0
    for line in text.splitlines():
        if not line.startswith("$ "):
            continue
        lines.append(line)
        if line == "$ echo $?":
            lines.append(str(code))
            continue
        words = shlex.split(line[2:])
        assert words[0] == "dbt-selfheal"
        done = subprocess.run(
            [*COMMAND, *words[1:]],
            cwd=project.folder,
            env=cli.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        code = done.returncode
        lines += done.stdout.replace(str(project.folder), "/home/ada/shop").splitlines()
    return "\n".join(lines) + "\n"


def test_the_examples_are_real(cli: Cli, shop: DbtProject) -> None:
    shop.write_profile(path="warehouse.duckdb")
    content = DOCS.read_text(encoding="utf-8")

    def run(match: re.Match[str]) -> str:
        if match["prepare"] == "damage":
            (shop.folder / "warehouse.duckdb").write_bytes(b"no database " * 2000)
        new = _transcript(cli, shop, match["text"])
        if not os.environ.get("UPDATE_DOCS"):
            assert _normal(new).split() == _normal(match["text"]).split()  # folded by the length of a path
        return match[0].replace(match["text"], new)

    changed = EXAMPLE.sub(run, content)
    if os.environ.get("UPDATE_DOCS"):
        DOCS.write_text(changed, encoding="utf-8")


def _commands() -> dict[str, click.Command]:
    return dict(group.commands)


@pytest.mark.parametrize(
    "name",
    [name for name in _commands() if name in ("ensure", "plan", "status", "exec", "recreate", "health")],
)
def test_every_command_has_a_help_text_with_an_example_and_is_documented(name: str) -> None:
    command = _commands()[name]
    assert command.help
    assert "dbt-selfheal" in command.help.split("Example")[1]
    assert f"`{name}`" in DOCS.read_text(encoding="utf-8")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"


def test_every_option_of_ensure_is_documented() -> None:
    content = DOCS.read_text(encoding="utf-8")
    hidden = {"--help", "--dbt-output"}
    for parameter in _commands()["ensure"].params:
        long = [text for text in parameter.opts if text.startswith("--") and text not in hidden]
        assert all(f"`{text}" in content for text in long), parameter.opts


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_complete_it(shell: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt-selfheal")],
        env={**os.environ, "_DBT_SELFHEAL_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "dbt-selfheal" in done.stdout
