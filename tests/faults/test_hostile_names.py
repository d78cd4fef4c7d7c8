# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Names that try to break out of SQL, Jinja or paths: healed as dbt builds them, or refused; nothing else happens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from catalog import differences
from conftest import ProjectFactory
from faults.bed import facts
from support import DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.sqlite, pytest.mark.dbt_version(">=1.9")]

NAMES = (
    "it's",
    'dou"ble',
    "semi;colon",
    "dash -- comment",
    "slash /* comment */",
    "{{ 1 }}",
    "{% raw %}",
    "{# note #}",
    "new\nline",
    "a" * 63,
    "b" * 64,
    "c" * 200,
    "emoji 😀",
    "back\\slash",
    "per%cent",
    "%s",
    "%(name)s",
    "dollar $$quote$$",
    "select",
    "Größe",
    "tab\there",
    "'; drop table sentinel; --",
    '"; drop table sentinel; --',
    "[brackets]",
    "`ticks`",
    " blank ",
)
# dbt refuses blanks in the names of nodes; a template would end the file's own name in the reports of this test.
FILE_NAMES = tuple(
    name.replace(" ", "_") for name in NAMES if "/" not in name and len(name) < 100 and name != "select"
)


def with_sentinel(project: DbtProject) -> list[tuple[object, ...]]:
    """Makes a table that nothing may touch, and returns its rows."""
    if project.database.adapter == "postgres":
        project.execute(f"create schema if not exists {project.database.default_schema}")
    project.execute("create table sentinel (id integer)", "insert into sentinel values (1), (2)")
    return project.rows("sentinel")


def check(plain: DbtProject, healed: DbtProject, names: dict[str, str]) -> int:
    """Builds all with plain dbt, heals what dbt could build, and compares; what it could not must not be built.

    Args:
        plain: Without the package.
        healed: With it, on another database.
        names: What stands behind each node's name.

    Returns:
        How many nodes were healed.
    """
    for project in (plain, healed):
        with_sentinel(project)
    outcome = plain.dbt("build", check=False).statuses
    good = [name for name in names if outcome.get(name) == "success"]
    assert good, outcome
    healed.dbt("run-operation", "ensure_initialized", args={"select": good})
    found = differences(facts(plain.database), facts(healed.database))
    assert not found, "\n".join(map(str, found))
    for name in sorted(set(names) - set(good)):
        result = healed.dbt("run-operation", "ensure_initialized", args={"select": [name]}, check=False)
        assert result.returncode > 0, f"{names[name]!r}: dbt refuses it, healing did not: {result.explain()}"
        assert "Traceback" not in result.output
    assert not differences(facts(plain.database), facts(healed.database))
    assert healed.rows("sentinel") == [(1,), (2,)]
    return len(good)


def pair(make_project: ProjectFactory, files: dict[str, str]) -> tuple[DbtProject, DbtProject]:
    """One project without the package and one with it."""
    config = {"models": {"+materialized": "table"}, "vars": {"dbt_selfheal": {"timeout_seconds": 600}}}
    return make_project(files, install=False, config=config), make_project(files, config=config)


def test_aliases(make_project: ProjectFactory) -> None:
    names = {f"m{number}": name for number, name in enumerate(NAMES)}
    files = {
        f"models/{node}.sql": f"{{{{ config(alias={json.dumps(name)}) }}}} select {number} as id"
        for number, (node, name) in enumerate(names.items())
    }
    assert check(*pair(make_project, files), names) >= 12


def test_a_quote_is_refused_beside_plain_nodes_of_the_same_kind(make_project: ProjectFactory) -> None:
    """Whether a hook can build it is asked once for each kind of node; a name is each node's own."""
    project = make_project(
        {
            "models/a_plain.sql": "select 1 as id",
            "models/b_quote.sql": "{{ config(alias='dou\"ble') }} select 1 as id",
            "models/leaf.sql": "select a.id from {{ ref('a_plain') }} a, {{ ref('b_quote') }} b",
        }
    )
    result = project.dbt("run", "-s", "leaf", check=False)
    assert result.returncode > 0, result.explain()
    assert "b_quote (models/b_quote.sql): its database, schema or alias holds a quote" in result.output
    assert project.names() == {"a_plain"}


SAMPLE = ("it's", "dash -- comment", '"; drop table sentinel; --')


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.faults) for name in NAMES]
)
def test_schemas(make_project: ProjectFactory, name: str) -> None:
    """Each in a project of its own: dbt looks through all schemas of a project before it runs anything."""
    files = {
        "models/inner.sql": f"{{{{ config(schema={json.dumps(name)}) }}}} select 1 as id",
        "models/leaf.sql": "select id from {{ ref('inner') }}",
    }
    plain, healed = pair(make_project, files)
    if plain.database.adapter == "sqlite":
        pytest.skip("dbt-sqlite makes no schemas, and writes their names without quotes")
    for project in (plain, healed):
        with_sentinel(project)
    good = plain.dbt("build", check=False).returncode == 0
    result = healed.dbt("run", "-s", "leaf", check=False)
    assert "Traceback" not in result.output
    if '"' in name:  # dbt may well run what follows the quote; healing does not
        assert "holds a quote" in result.output or not good, result.explain()
        assert result.returncode > 0, result.explain()
        good = False
    assert good == (result.returncode == 0), result.explain()
    if good:
        found = differences(facts(plain.database), facts(healed.database))
        assert not found, "\n".join(map(str, found))
    assert healed.rows("sentinel") == [(1,), (2,)]


def test_names_of_files_and_what_stands_in_seeds(make_project: ProjectFactory) -> None:
    """Nodes and seeds are named by their files; columns and cells hold the same texts."""
    cells = [name.replace('"', '""') for name in NAMES]
    header = ",".join(f'"{cell}"' for cell in cells if "\n" not in cell and len(cell) <= 63)
    rows = "\n".join(f'{number},"{cell}"' for number, cell in enumerate(cells))
    files = {f"seeds/s_{name}.csv": f"id,value\n{rows}\n" for name in FILE_NAMES}
    files["seeds/columns.csv"] = f"{header}\n{','.join(['1'] * (header.count(chr(34) + ',') + 1))}\n"
    files |= {f"models/m_{name}.sql": "select 1 as id" for name in FILE_NAMES}
    files["seeds/properties.yml"] = yaml.safe_dump(
        {"version": 2, "seeds": [{"name": "columns", "config": {"quote_columns": True}}]}
    )
    names = {path.split("/")[1].rpartition(".")[0]: path for path in files if not path.endswith("yml")}
    assert check(*pair(make_project, files), names) >= 20


@pytest.mark.parametrize("name", ["it's", "{{ 1 }} {% x %}", "semi;colon -- /* 😀 */", 'dou"ble\nline'])
def test_the_folder_of_the_project(make_database, dbt_server, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    files = {"seeds/s.csv": "id\n1\n", "models/leaf.sql": "select * from {{ ref('s') }}"}
    plain, healed = (
        DbtProject(tmp_path / part / name, make_database(), dbt_server, files=files, install=part == "healed")
        for part in ("plain", "healed")
    )
    good = plain.dbt("seed", check=False).returncode == 0
    result = healed.dbt("run", "-s", "leaf", check=False)
    assert good == (result.returncode == 0), result.explain()
    assert "Traceback" not in result.output
    assert healed.names() == ({"s", "leaf"} if good else set())


def test_required_and_select_take_nothing_but_names(
    make_project: ProjectFactory, pytestconfig: pytest.Config
) -> None:
    """What matches no node is an error that shows it as it is: nothing in it is rendered, run or looked up."""
    project = make_project({"models/a.sql": "select 1 as id", "models/b.sql": "select * from {{ ref('a') }}"})
    rows = with_sentinel(project)
    entries = [
        *NAMES,
        "{{ 1 / 0 }}",
        "tag:",
        "tag:'; drop table sentinel",
        "path:../../etc/passwd",
        "path:",
        "a.b.c.d",
        ":",
        ".",
    ]
    every = pytestconfig.getoption("--faults")
    for entry in entries if every else entries[::4]:
        result = project.dbt_fails("run-operation", "ensure_initialized", args={"select": [entry]})
        assert f'names "{entry}"'.split("\n")[0] in result.output, result.explain()
        assert "no enabled" in " ".join(result.output.split())
        assert "Traceback" not in result.output
    for entry in entries[:4] if every else entries[:2]:
        result = project.dbt_fails("run", "-s", "b", vars={"dbt_selfheal": {"required": [entry]}})
        assert f'names "{entry}"'.split("\n")[0] in result.output
    assert project.names() == {"sentinel"}
    assert project.rows("sentinel") == rows


def test_links_and_parent_folders_in_seed_paths(make_project: ProjectFactory, tmp_path: Path) -> None:
    """A seed that is a symbolic link, in a linked folder, or above the project is the file that dbt reads."""
    config = {"seed-paths": ["seeds", "../above"]}
    projects = [
        make_project({"seeds/own.csv": "id\n1\n"}, config=config, install=install)
        for install in (False, True)
    ]
    for project in projects:
        outside = project.folder / "elsewhere"
        outside.mkdir()
        (outside / "linked_file.csv").write_text("id,text\n1,a file\n")
        (outside / "in_folder.csv").write_text("id,text\n2,in a folder\n")
        (project.folder / "seeds" / "linked_file.csv").symlink_to(outside / "linked_file.csv")
        (project.folder / "seeds" / "folder").symlink_to(outside, target_is_directory=True)
        (outside / "linked_file.csv").rename(outside / "target.txt")
        (project.folder / "seeds" / "linked_file.csv").unlink()
        (project.folder / "seeds" / "linked_file.csv").symlink_to(outside / "target.txt")
        (project.folder / "seeds" / "dangling.csv").symlink_to(outside / "nothing.csv")
    above = projects[0].folder.parent / "above"
    above.mkdir()
    (above / "higher.csv").write_text("id\n3\n")
    plain, healed = projects
    outcome = plain.dbt("seed", check=False)
    good = sorted(name for name, status in outcome.statuses.items() if status == "success")
    if good:
        healed.dbt("run-operation", "ensure_initialized", args={"select": good})
        assert not differences(facts(plain.database), facts(healed.database))
    else:  # dbt itself stops at the link that leads nowhere
        assert "dangling" in outcome.output
        for project in projects:
            (project.folder / "seeds" / "dangling.csv").unlink()
        plain.dbt("seed")
        healed.dbt("run-operation", "ensure_initialized")
        assert not differences(facts(plain.database), facts(healed.database))
        assert {"own", "linked_file", "higher"} <= healed.names()
