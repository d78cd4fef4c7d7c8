"""docs/errors.md is true: each error that can happen on DuckDB is provoked, and its text compared.

With UPDATE_DOCS=1 the examples are written anew.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from support import ROOT, DbtProject, DuckDbDatabase
from wrapper.conftest import COMMAND, SHOP, Cli
from wrapper.errors_gallery import IN_DBT_ALONE, SITUATIONS, Situation

from dbt_selfheal.report.catalogue import codes

pytestmark = pytest.mark.duckdb
WIDTH, HEIGHT = 80, 24
# A folder's name is as long as this, so that lines are folded where they are here.
SHOWN = "/home/ada/shop"


def _script() -> Any:
    """Returns scripts/errors as a module."""
    loader = SourceFileLoader("errors_script", str(ROOT / "scripts" / "errors"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


SCRIPT = _script()
EXAMPLES = SCRIPT.examples_of(SCRIPT.PAGE.read_text(encoding="utf-8")) if SCRIPT.PAGE.exists() else {}


@pytest.fixture
def make_shop(dbt_server: Any) -> Iterator[Callable[[Situation], DbtProject]]:
    """Makes a project in a situation, in a folder whose path is as long as SHOWN."""
    folder = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    assert len(str(folder)) == len(SHOWN)

    def make(situation: Situation) -> DbtProject:
        shutil.rmtree(folder)
        folder.mkdir()
        packages = ("dbt_selfheal", "dbt_selfheal_database") if situation.both else ("dbt_selfheal",)
        project = DbtProject(
            folder,
            DuckDbDatabase(folder),
            dbt_server,
            files={**SHOP, **situation.files},
            config={"vars": {"dbt_selfheal": {"timeout_seconds": 200, **situation.settings}}},
            packages=packages,
        )
        project.write_profile(path="warehouse.duckdb", **situation.profile)
        return project

    yield make
    shutil.rmtree(folder)


def run(
    cli: Cli, project: DbtProject, command: str, situation: Situation
) -> subprocess.CompletedProcess[str]:
    """Runs a command as a terminal of 80 columns would show it."""
    words = shlex.split(command)
    program = (
        COMMAND
        if words[0] == "dbt-selfheal"
        else [shutil.which("dbt", path=cli.variables()["PATH"]) or "dbt"]
    )
    return subprocess.run(
        [*program, *words[1:]],
        cwd=project.folder,
        env={**cli.variables(), "COLUMNS": str(WIDTH), **situation.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def normal(text: str) -> str:
    """Returns a text without what differs from run to run, and from one version of DuckDB to another."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "2026-01-02T03:04:05Z", text)
    text = re.sub(r"process \d+ on \S+,", "process 4711 on db1,", text)
    text = re.sub(r"process \d+ \([^)]*\)+", "process 4711 (python)", text)
    text = re.sub(r"ps -p \d+", "ps -p 4711", text)
    text = re.sub(r"\d+(\.\d+)? [kMGT]i?B(/| free)", r"78 GB\2", text)
    text = re.sub(r"(after|ready in) \d+\.\d s", r"\1 4.2 s", text)
    text = re.sub(r"\.+ \[\d+\.\d\d s\]", "... [0.12 s]", text)
    text = re.sub(r"in \d+\.\d\ds\]", "in 0.12s]", text)
    return re.sub(r"\b[0-9a-f]{32}\b", "0" * 32, text)


def seen(output: str, project: DbtProject) -> str:
    """Returns what is shown of an output: from the node that has failed on, or from "Error:"."""
    text = output.replace(str(project.folder), SHOWN)
    found = re.search(r"(?m)^(\d+ of \d+ ERROR |Error:)", text)
    assert found is not None, output
    return text[found.start() :].strip()


def seen_in_dbt(output: str, project: DbtProject) -> str:
    """Returns what is shown of dbt's output: from the package's first line or the error on, no times."""
    text = re.sub(r"(?m)^\d\d:\d\d:\d\d  ", "", output.replace(str(project.folder), SHOWN))
    found = re.search(r"(?m)^(Self-healing: |\[ERROR\])", text)
    assert found is not None, output
    lines = [line for line in text[found.start() :].splitlines() if not line.startswith("Finished running")]
    return re.sub(r"\n{2,}", "\n", "\n".join(line.rstrip() for line in lines)).strip()


def example(situation: Situation, text: str, in_dbt: str | None) -> str:
    """Returns the example of an error as the page has it."""
    parts = [situation.story] if situation.story else []
    if situation.settings:
        settings = {"vars": {"dbt_selfheal": dict(situation.settings)}}
        parts += ["`dbt_project.yml` has:", f"```yaml\n{yaml.safe_dump(settings).strip()}\n```"]
    shown = {**situation.files, **({"profiles.yml": situation.profiles} if situation.profiles else {})}
    for path, content in shown.items():
        parts += [f"`{path}`:", f"```{path.rpartition('.')[2]}\n{content.strip()}\n```"]
    parts.append(f"```console\n$ {situation.command}\n{text}\n```")
    if in_dbt is not None:
        parts.append(f"In dbt alone:\n```console\n$ {situation.bare}\n{in_dbt}\n```")
    return "\n\n".join(parts)


@pytest.fixture(scope="module", autouse=True)
def page() -> Iterator[None]:
    """Writes the page anew at the end, if that is asked for."""
    yield
    if os.environ.get("UPDATE_DOCS"):
        SCRIPT.PAGE.write_text(SCRIPT.page(EXAMPLES), encoding="utf-8")


def names_its_place(text: str) -> bool:
    """Tells whether an error names a file of the project, or the key of a setting."""
    return re.search(r"(models|seeds)/\w+\.\w+|vars\.dbt_selfheal|read-only mode", text) is not None


def met(
    cli: Cli, make_shop: Callable[[Situation], DbtProject], situation: Situation, command: str
) -> tuple[DbtProject, subprocess.CompletedProcess[str]]:
    """Runs a command in a situation, in a fresh project."""
    project = make_shop(situation)
    for each in situation.before:
        assert run(cli, project, each, situation).returncode == 0
    if situation.sql:
        with duckdb.connect(str(project.folder / "warehouse.duckdb")) as connection:
            for statement in situation.sql:
                connection.execute(statement)
    if situation.profiles:
        project.write({"profiles.yml": situation.profiles})
    with situation.around(project):
        return project, run(cli, project, command, situation)


@pytest.mark.slow
@pytest.mark.parametrize("code", SITUATIONS)
def test_the_error_is_as_the_page_shows_it(
    cli: Cli, make_shop: Callable[[Situation], DbtProject], code: str
) -> None:
    situation = SITUATIONS[code]
    project, done = met(cli, make_shop, situation, situation.command)
    assert done.returncode == codes()[code][0].exit_code, done.stdout
    assert "Traceback" not in done.stdout
    text = seen(done.stdout, project)
    assert f"More: dbt-selfheal explain {code}" in text, done.stdout
    assert "What to do: " in text
    error = text[text.index("Error:") :].splitlines()
    assert len(error) <= HEIGHT - 4, "an error and the prompt fit on a screen"
    if " exec " not in situation.command:
        assert max(map(len, done.stdout.splitlines())) <= WIDTH, done.stdout
    in_dbt = None
    if code in IN_DBT_ALONE:
        project, done = met(cli, make_shop, situation, f"{situation.bare} --no-use-colors")
        assert done.returncode in (1, 2), done.stdout
        assert "Traceback" not in done.stdout
        in_dbt = seen_in_dbt(done.stdout, project)
        assert names_its_place(in_dbt), in_dbt
    new = example(situation, text, in_dbt)
    if os.environ.get("UPDATE_DOCS"):
        if normal(EXAMPLES.get(code, "")) != normal(new):
            EXAMPLES[code] = new
    else:
        assert normal(new) == normal(EXAMPLES[code])


def test_every_situation_is_of_a_code_and_has_an_example() -> None:
    assert set(EXAMPLES) == set(SITUATIONS)
    assert set(SITUATIONS) <= set(codes())
