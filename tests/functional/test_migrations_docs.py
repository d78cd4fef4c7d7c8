"""The pages docs/migrations.md and docs/initial_data.md do what they say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

import pytest
import yaml
from support import ROOT, DbtProject

Make = Callable[..., DbtProject]
pytestmark = pytest.mark.both_packages
BLOCK = re.compile(r"<!-- (file|run|of the workspace)(?:: (\S+))? -->\n```\w*\n(.*?)```", re.DOTALL)


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """Yields kind, argument and content of the blocks of a page that are marked."""
    yield from BLOCK.findall((ROOT / "docs" / page).read_text())


def plain(text: str) -> str:
    """Returns a text without what differs from run to run: times, durations, dots, spaces."""
    text = re.sub(r"(?m)^\d\d:\d\d:\d\d\s", "", text)
    text = re.sub(r"\d+\.\d+ ?s\b", "N s", text)
    return re.sub(r"(?:\s|\.{3,})+", " ", text)


def play(project: DbtProject, content: str) -> None:
    """Runs the commands of a block and looks for what is below each in its output, in order."""
    for part in re.split(r"(?m)^\$ ", content)[1:]:
        command, *expected = part.splitlines()
        words = shlex.split(command)
        env: dict[str, str] = {}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            env[name] = value
        assert words[0] == "dbt"
        output = plain(project.dbt(*words[1:], env=env, check=False).output)
        position = 0
        for line in filter(None, map(str.strip, map(plain, expected))):
            assert line in output[position:], f"{command}\nlacks: {line}\nin: {output}"
            position = output.index(line, position) + len(line)


@pytest.mark.duckdb
def test_the_page_on_migrations_is_true(make_project: Make) -> None:
    project = make_project({"models/a.sql": "select 1 as id"})
    for kind, argument, content in blocks("migrations.md"):
        if kind == "file":
            project.write({argument: content})
        else:
            play(project, content)


@pytest.mark.duckdb
def test_the_page_on_initial_data_is_true_of_the_workspace(make_project: Make) -> None:
    project = make_project(ROOT / "integration_tests")
    config = yaml.safe_load((project.folder / "dbt_project.yml").read_text())
    for kind, _, content in blocks("initial_data.md"):
        if kind == "of the workspace":
            shown = yaml.safe_load(content)
            assert "dispatch" not in shown or shown["dispatch"] == config["dispatch"]
            rows = shown.get("vars", {}).get("dbt_selfheal", {}).get("initial_data")
            assert rows in (None, config["vars"]["dbt_selfheal"]["initial_data"])
        else:
            play(project, content)
    assert project.query("select username, password_hash like '$argon2id$%' from users") == [("admin", True)]
    project.execute(
        "update roles set description = 'edited' where role_code = 'viewer'", "delete from tenants"
    )
    project.dbt("seed")
    assert ("viewer", "edited") in project.rows("roles")
    assert len(project.rows("tenants")) == 2
