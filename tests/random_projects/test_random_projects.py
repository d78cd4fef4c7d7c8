"""Random projects in random states under random commands: no harm, healed equals built, stops that help."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from conftest import ProjectFactory
from harmless.outcome import Outcome, look
from support import Database, DbtProject, DbtResult, DuckDbDatabase, PostgresDatabase

from random_projects.found import FOUND
from random_projects.generator import COMMANDS, KINDS, Case, cases

# Their snapshots have no target_schema, which dbt asks for before 1.9.
pytestmark = [
    pytest.mark.duckdb,
    pytest.mark.postgres,
    pytest.mark.dbt_version(">=1.9"),
    pytest.mark.timeout(36000),
]
SHRINK = bool(os.environ.get("RANDOM_SHRINK"))  # takes minutes
OFF = {"DBT_SELFHEAL_ENABLED": "false"}
TIMES = re.compile(r"datetime\.datetime\([^)]*\)|'[0-9a-f]{32}'")
BUILT = ("seed", "snapshot", "model")
State = dict[str, Any]


def copied(database: Database, folder: Path) -> Database:
    """Returns another database in the same state."""
    if isinstance(database, PostgresDatabase):
        copy = PostgresDatabase.__new__(PostgresDatabase)
        copy.server, copy.name = database.server, f"copy_{uuid.uuid4().hex[:12]}"
        database.server.copy_database(database.name, copy.name)
        return copy
    assert isinstance(database, DuckDbDatabase)
    folder.mkdir(parents=True)
    copied_file = DuckDbDatabase(folder)
    shutil.copyfile(database.path, copied_file.path)
    return copied_file


def seen(project: DbtProject) -> State:
    """Returns relations (kind, owner, columns, rows without times) and data files."""
    found: Outcome = look(project, [])
    for relation in found.relations.values():
        relation["rows"] = [TIMES.sub("TIME", row) for row in relation.get("rows", [])]
    files = {name: content for name, content in found.files.items() if name.startswith("files/")}
    return {**found.relations, **files, "schemas": found.schemas}


class Scene:
    """A case brought about: a project built, then robbed of some of its relations, and copies of that state.

    Args:
        case: The case.
        make_project: Makes projects.
    """

    def __init__(self, case: Case, make_project: ProjectFactory) -> None:
        self.case = case
        self._make = make_project
        self.copies: list[Database] = []
        self.first = make_project(case.files(edited=False), config=case.config(), install=False)
        schema = self.first.database.default_schema
        built = self.first.dbt("build", check=False)
        assert built.returncode in (0, 1), f"no project of dbt's: {case}\n{built.explain()}"
        for node in case.nodes:
            relation = node.relation(schema)
            if node.name in case.dropped and relation in self.first.relations():
                self.first.drop(relation)
            if node.name in case.deleted:
                (self.first.folder / node.data_file).unlink(missing_ok=True)
        if case.without_schema:
            self.first.execute(f"drop schema if exists {schema}_{case.without_schema} cascade")
        self.before = seen(self.first)

    def again(self, *, install: bool, hooks: bool = True) -> DbtProject:
        """Returns a project with the code as edited, on a copy of the database and the files as they were."""
        case, folder = self.case, self.first.folder
        copy = copied(self.first.database, folder / "copies" / str(len(self.copies)))
        self.copies.append(copy)
        config = case.config() if hooks else {}
        project = self._make(case.files(hooks=hooks), config=config, database=copy, install=install)
        shutil.copytree(folder / "files", project.folder / "files", dirs_exist_ok=True)
        return project

    def close(self) -> None:
        """Gives the copies back."""
        for copy in self.copies:
            copy.close()


def check(case: Case, make_project: ProjectFactory) -> str:
    """Brings a case about and compares; returns which of the three it was.

    Raises:
        AssertionError: It did harm, healed something that is not as it is built, or stopped without help.
    """
    scene = Scene(case, make_project)
    try:
        return _compare(scene)
    finally:
        scene.close()


def _compare(scene: Scene) -> str:
    case = scene.case
    without, ours = scene.again(install=False), scene.again(install=True)
    plain = without.dbt(*case.command, check=False)
    expected = seen(without)
    result = ours.dbt(*case.command, check=False)
    found = seen(ours)
    told = f"{case}\n--- without the package\n{plain.explain()}\n--- with it\n{result.explain()}"
    if plain.returncode == 0:
        assert result.returncode == 0, f"worked without the package\n{told}"
        assert found == expected, f"not the same as without the package: {_changed(expected, found)}\n{told}"
        return "worked before"
    if result.returncode == 0:
        _as_built(scene, result, found, told)
        return "healed"
    touched = {
        name: (was, found.get(name))
        for name, was in scene.before.items()
        if found.get(name) not in (was, expected.get(name))
        and name != "schemas"
        and not _is_view(was, found.get(name))
    }
    assert not touched, f"what existed was touched: {touched}\n{told}"
    if "dbt_selfheal:" in result.output and "success" not in result.statuses.values():
        _helped(ours, case, result, told)
        return "stopped"
    print("\n".join(line for line in result.output.splitlines() if "rror" in line or "FAIL" in line))
    return "failed in both"


def _is_view(was: Any, now: Any) -> bool:
    """Tells whether something was a view and is one: its rows are of what it reads, which may be healed."""
    return isinstance(was, dict) and isinstance(now, dict) and was["kind"] == now["kind"] in ("VIEW", "v")


def _as_built(scene: Scene, result: DbtResult, found: State, told: str) -> None:
    """All is as if dbt itself had built the same nodes in the same state, and had then run the command."""
    healed = [
        event["unique_id"]
        for event in result.healing_events
        if event["event"] == "initialization_node_complete" and event["success"]
    ]
    assert healed, f"nothing was healed, and it works\n{told}"
    reference = scene.again(install=False, hooks=False)
    names = [unique_id.split(".", 2)[2] for unique_id in healed]
    kinds = [text for kind in BUILT for text in ("--resource-type", kind)]
    built = reference.dbt("build", *kinds, "--select", *names, check=False)
    reference.configure(**scene.case.config())
    reference.write(scene.case.files())
    command = reference.dbt(*scene.case.command, check=False)
    told = f"{told}\n--- built by dbt\n{built.explain()}\n--- and then\n{command.explain()}"
    assert command.returncode == 0, f"dbt itself does not build it\n{told}"
    wanted = seen(reference)
    assert found == wanted, f"not as it is built: {_changed(wanted, found)}\n{told}"


def _helped(project: DbtProject, case: Case, result: DbtResult, told: str) -> None:
    """The command that the stop names works when it is pasted, and then the first works."""
    named = re.findall(
        r"^\s*(?:\d\d:\d\d:\d\d\s+)?(dbt (?:build|run-operation) [^\n`]*?)\s*$", result.output, re.MULTILINE
    )
    if not named:
        return
    env = OFF if named[0].startswith("dbt build") else None
    repaired = project.dbt(*shlex.split(named[0])[1:], env=env, check=False)
    assert repaired.returncode == 0, f"{named[0]} does not work: {repaired.explain()}\n{told}"
    again = project.dbt(*case.command, check=False)
    assert again.returncode == 0, f"after {named[0]}: {again.explain()}\n{told}"


def _changed(one: Any, other: Any) -> dict[str, Any]:
    return {
        name: (one.get(name), other.get(name))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    }


def _rounds(
    make_project: ProjectFactory, adapter: str, most: int, rounds: int, seed: int | None = None
) -> str:
    """Checks so many cases; returns what came of them, for people."""
    counts: dict[str, int] = {}
    sizes: list[int] = []

    @hypothesis.settings(
        max_examples=rounds,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=seed is None,
        database=None,
        phases=[hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if SHRINK else [])],
    )
    @hypothesis.given(cases(most, files=adapter == "duckdb"))
    def one(case: Case) -> None:
        outcome = check(case, make_project)
        counts[outcome] = counts.get(outcome, 0) + 1
        sizes.append(len(case.nodes))
        print(counts, outcome, case, flush=True)

    (hypothesis.seed(seed)(one) if seed is not None else one)()
    mean = sum(sizes) / len(sizes)
    return f"{adapter}: {counts}, of {min(sizes)} to {max(sizes)} nodes, {mean:.0f} on average"


@pytest.mark.promise("Healed equals built")
def test_random_projects(make_project: ProjectFactory, adapter_name: str, record_property: Any) -> None:
    """A sample, the same in each run."""
    record_property("random projects", _rounds(make_project, adapter_name, 8, 3))


def _has(kind: str, case: Case) -> bool:
    return any(node.kind == kind for node in case.nodes)


def _runs(command: str, case: Case) -> bool:
    return case.command[0] == command


DRAWN: dict[str, Callable[[Case], bool]] = {
    "many nodes": lambda case: len(case.nodes) > 24,
    **{kind: partial(_has, kind) for kind in (*KINDS, "external")},
    "an empty seed": lambda case: any(node.kind == "seed" and node.rows == 3 for node in case.nodes),
    "versions": lambda case: any(node.versions for node in case.nodes),
    "alias": lambda case: any(node.alias for node in case.nodes),
    "schemas": lambda case: len({node.schema for node in case.nodes}) == 3,
    "package": lambda case: len({node.in_package for node in case.nodes}) == 2,
    "hooks": lambda case: case.hooks and bool(case.late_hook) and any(node.hooked for node in case.nodes),
    "tests": lambda case: any(node.tested for node in case.nodes),
    "unit tests": lambda case: any(node.unit_tested for node in case.nodes),
    "source": lambda case: any(node.source for node in case.nodes),
    "order only": lambda case: any(node.order_only for node in case.nodes),
    "views dropped": lambda case: any(n.kind == "view" and n.name in case.dropped for n in case.nodes),
    "schema dropped": lambda case: case.without_schema in {node.schema for node in case.nodes} - {""},
    "files deleted": lambda case: bool(case.deleted),
    "edited": lambda case: bool(case.edited),
    **{f"dbt {command}": partial(_runs, command) for command in COMMANDS},
    "several selected": lambda case: len(case.command) > 3,
    "excluded": lambda case: "--exclude" in case.command,
}


@pytest.mark.parametrize("name", DRAWN)
def test_each_kind_of_project_is_drawn(name: str) -> None:
    """Among the first thousand; which these are differs with what the process has imported."""
    hypothesis.find(
        cases(30, files=True),
        DRAWN[name],
        settings=hypothesis.settings(
            max_examples=1000,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            derandomize=True,
            database=None,
            phases=[hypothesis.Phase.generate],
        ),
    )


@pytest.mark.parametrize("name", FOUND)
def test_what_random_projects_have_found(make_project: ProjectFactory, name: str) -> None:
    """Cases of the past, shrunk."""
    check(FOUND[name], make_project)


@pytest.mark.slow
def test_many_random_projects(make_project: ProjectFactory, adapter_name: str, record_property: Any) -> None:
    """Others each time: the seed is printed; or that of $RANDOM_SEED.

    $RANDOM_PROJECTS says how many (100), $RANDOM_NODES of how many nodes at most (30).
    """
    rounds, most = (
        int(os.environ.get(f"RANDOM_{name}", str(n))) for name, n in (("PROJECTS", 100), ("NODES", 30))
    )
    seed = int(os.environ.get("RANDOM_SEED", str(random.randrange(10**9))))
    print(f"seed {seed}")
    counts = _rounds(make_project, adapter_name, most, rounds, seed)
    record_property("random projects", f"seed {seed}: {counts}")
