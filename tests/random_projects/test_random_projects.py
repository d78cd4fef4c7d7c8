"""Random projects in random states under random commands: no harm, healed equals built, stops that help."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from conftest import ProjectFactory
from harmless.outcome import Outcome, look
from support import DbtProject, DbtResult, DuckDbDatabase

from random_projects.generator import Case, cases

# Their snapshots have no target_schema, which dbt asks for before 1.9.
pytestmark = [pytest.mark.duckdb, pytest.mark.dbt_version(">=1.9"), pytest.mark.timeout(7200)]
SHRINK = bool(os.environ.get("RANDOM_SHRINK"))  # takes minutes
OFF = {"DBT_SELFHEAL_ENABLED": "false"}
TIMES = re.compile(r"datetime\.datetime\([^)]*\)|'[0-9a-f]{32}'")


def kept(project: DbtProject, name: str, *, back: bool = False) -> None:
    """Puts a copy of the database aside, or takes it back."""
    assert isinstance(project.database, DuckDbDatabase)
    here, there = project.database.path, project.folder / "states" / name
    there.parent.mkdir(exist_ok=True)
    Path(str(here) + ".wal").unlink(missing_ok=True)
    shutil.copyfile(there, here) if back else shutil.copyfile(here, there)


def seen(project: DbtProject) -> dict[str, Any]:
    """Returns the relations: kind, columns, rows without times."""
    found: Outcome = look(project, [])
    for relation in found.relations.values():
        relation["rows"] = [TIMES.sub("TIME", row) for row in relation.get("rows", [])]
    return found.relations


def check(case: Case, make_project: ProjectFactory) -> str:
    """Brings a case about and compares; returns which of the three it was.

    Raises:
        AssertionError: It did harm, healed something that is not as it is built, or stopped without help.
    """
    without = make_project(case.files(edited=False), config=case.config(), install=False)
    schema = without.database.default_schema
    without.dbt("build", check=False)
    for node in case.nodes:
        relation = node.relation(schema)
        if node.name in case.dropped and relation in without.relations():
            without.drop(relation)
    without.write(case.files())
    kept(without, "before")
    before = seen(without)
    plain = without.dbt(*case.command, check=False)
    expected = seen(without)

    kept(without, "before", back=True)
    ours = make_project(case.files(), config=case.config(), database=without.database)
    result = ours.dbt(*case.command, check=False)
    found = seen(ours)
    told = f"{case}\n--- without the package\n{plain.explain()}\n--- with it\n{result.explain()}"

    if plain.returncode == 0:
        assert result.returncode == 0, f"worked without the package\n{told}"
        assert found == expected, f"not the same as without the package: {_changed(expected, found)}\n{told}"
        return "worked before"
    if result.returncode == 0:
        _as_built(case, make_project, before, found, told)
        return "healed"
    if "Self-healing" in result.output or "dbt_selfheal:" in result.output:
        ran = {name for name, status in result.statuses.items() if status == "success"}
        stopped = "dbt_selfheal:" in result.output and not ran
        if stopped:
            _helped(ours, case, result, told)
            return "stopped"
    assert plain.returncode == result.returncode, told
    return "failed in both"


def _as_built(case: Case, make_project: ProjectFactory, before: Any, found: Any, told: str) -> None:
    """What was missing and is there equals what a build makes."""
    reference = make_project(case.files(), config=case.config(), install=False)
    reference.dbt("build", check=False)
    wanted = seen(reference)
    for name, relation in found.items():
        if name.endswith(".audit"):
            continue
        if name not in before:
            assert relation == wanted.get(name), (
                f"{name} is not as it is built: {relation} / {wanted.get(name)}\n{told}"
            )


def _helped(project: DbtProject, case: Case, result: DbtResult, told: str) -> None:
    """The command that the stop names works when it is pasted, and then the first works."""
    named = re.findall(r"^\s*(?:\d\d:\d\d:\d\d\s+)?(dbt build[^\n`]*?)\s*$", result.output, re.MULTILINE)
    if not named:
        return
    repaired = project.dbt(*shlex.split(named[0])[1:], env=OFF, check=False)
    assert repaired.returncode == 0, f"{named[0]} does not work: {repaired.explain()}\n{told}"
    again = project.dbt(*case.command, check=False)
    assert again.returncode == 0, f"after {named[0]}: {again.explain()}\n{told}"


def _changed(one: Any, other: Any) -> dict[str, Any]:
    return {
        name: (one.get(name), other.get(name))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    }


def _rounds(make_project: ProjectFactory, rounds: int, most: int, seed: int | None = None) -> dict[str, int]:
    counts: dict[str, int] = {}

    @hypothesis.settings(
        max_examples=rounds,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=seed is None,
        database=None,
        phases=[hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if SHRINK else [])],
    )
    @hypothesis.given(cases(most))
    def one(case: Case) -> None:
        outcome = check(case, make_project)
        counts[outcome] = counts.get(outcome, 0) + 1

    (hypothesis.seed(seed)(one) if seed is not None else one)()
    return counts


@pytest.mark.promise("Healed equals built")
def test_random_projects(make_project: ProjectFactory, record_property: Any) -> None:
    """A sample, the same in each run."""
    record_property("random projects", f"duckdb: {_rounds(make_project, 3, 8)}")


@pytest.mark.slow
def test_many_random_projects(make_project: ProjectFactory, record_property: Any) -> None:
    """Others each time: the seed is printed; $RANDOM_PROJECTS says how many (100)."""
    rounds, seed = int(os.environ.get("RANDOM_PROJECTS", "100")), random.randrange(10**9)
    print(f"seed {seed}")
    record_property("random projects", f"duckdb, seed {seed}: {_rounds(make_project, rounds, 12, seed)}")
