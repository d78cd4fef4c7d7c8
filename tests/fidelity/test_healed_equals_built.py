"""A healed relation cannot be told from a built one (invariant 3): the test-bed, healed and built, compared.

    scripts/test tests/fidelity                     the usual databases and versions, a few leaves alone
    scripts/test --all tests/fidelity               every database and version, every leaf alone
    scripts/test --only postgres-1.8 tests/fidelity --slow

Prints `N of N relations equal` for each comparison at the end, and fails on the first difference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ProjectFactory
from support import Database, DbtServer, Environment, PostgresServer, default_environment

sys.path.insert(0, str(Path(__file__).parent))

from beds import PROJECTS, TESTED, Beds, Comparison, HealedBed, leaves, version_of
from catalog import Snapshot, compared, differences, snapshot
from thousand import files

pytestmark = pytest.mark.timeout(1800)

Recorder = Callable[[str, object], None]

#: The leaves that the default run heals alone, beside all of them at once.
SAMPLED = {"leaf_packages", "leaf_snapshots", "leaf_sqlite_naming"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each leaf that there is for this adapter and this version; all but a few are slow."""
    if "leaf" in metafunc.fixturenames:
        adapter: str = metafunc.config.getoption("--adapter")
        environment = Environment(metafunc.config.getoption("--dbt-env") or default_environment(adapter))
        found = leaves(PROJECTS[adapter], adapter, version_of(environment, adapter))
        if adapter in ("duckdb", "postgres"):
            found.append(TESTED)
        marks = [() if name in SAMPLED and adapter != "spark" else (pytest.mark.slow,) for name in found]
        metafunc.parametrize(
            "leaf", [pytest.param(name, marks=mark) for name, mark in zip(found, marks, strict=True)]
        )


@pytest.fixture(scope="module")
def beds(
    dbt_server: DbtServer,
    adapter_name: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Beds:
    """Makes beds: the plain build of a project is shared by the workers, each has healed ones of its own."""
    folder = tmp_path_factory.mktemp("beds")
    shared = folder.parent.parent if hasattr(request.config, "workerinput") else folder

    def postgres() -> PostgresServer:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        return server

    return Beds(dbt_server, adapter_name, folder, shared, postgres)


@pytest.fixture
def heal(record_property: Recorder) -> Callable[..., Comparison]:
    """Runs a command in a bed, compares, and keeps the line for the end of the run."""

    def run(bed: HealedBed, scope: str, *arguments: str, partial: bool = True) -> Comparison:
        comparison = bed.compare(bed.dbt(*arguments), scope, partial=partial)
        record_property("relations equal", comparison.line)
        return comparison

    return run


def unhealed(bed: HealedBed, comparison: Comparison, commands_own: set[str]) -> list[str]:
    """The seeds, snapshots, models and functions that neither healing nor the command has built.

    Not those of the project's materialization that leaves no relation, which healing does not run.
    """
    kinds = {"seed", "snapshot", "model", "function"}
    return sorted(
        unique_id
        for unique_id, node in bed.manifest().items()
        if node["resource_type"] in kinds
        and node["config"].get("materialized") not in {"ephemeral", "registers_only"}
        and unique_id not in comparison.healed
        and node["name"] not in commands_own
    )


@pytest.mark.duckdb
@pytest.mark.postgres
@pytest.mark.sqlite
@pytest.mark.promise("Healed equals built")
def test_everything_healed_in_one_command_equals_a_plain_build(
    beds: Beds, heal: Callable[..., Comparison]
) -> None:
    """Nothing but the leaves and the tests is selected: all else is healed."""
    project = PROJECTS[beds.adapter]
    bed = beds.healed(project)
    names = beds.leaves(project)
    comparison = heal(
        bed,
        "all leaves and tests",
        "build",
        "--select",
        *names,
        "resource_type:test",
        "resource_type:unit_test",
        partial=False,
    )
    comparison.check()
    assert unhealed(bed, comparison, set(names)) == []


@pytest.mark.spark
@pytest.mark.slow
def test_everything_healed_on_spark_equals_a_plain_build(beds: Beds, heal: Callable[..., Comparison]) -> None:
    test_everything_healed_in_one_command_equals_a_plain_build(beds, heal)


def test_what_one_leaf_alone_heals_equals_a_plain_build(
    beds: Beds, heal: Callable[..., Comparison], leaf: str
) -> None:
    """In an empty database, so that nothing another leaf has healed helps."""
    bed = beds.healed(PROJECTS[beds.adapter])
    comparison = heal(bed, leaf, "test" if leaf == TESTED else "build", "--select", leaf)
    comparison.check()
    assert comparison.healed


@pytest.mark.duckdb
@pytest.mark.postgres
@pytest.mark.promise("Healed equals built")
def test_a_project_that_replaces_dbts_own_macros_is_healed_with_its_replacements(
    beds: Beds, heal: Callable[..., Comparison]
) -> None:
    bed = beds.healed("overrides")
    comparison = heal(bed, "leaf_overrides", "build", "--select", "leaf_overrides", partial=False)
    comparison.check()


@pytest.mark.duckdb
def test_beside_what_a_hook_cannot_build_everything_else_is_healed(
    beds: Beds, heal: Callable[..., Comparison]
) -> None:
    bed = beds.healed("refused")
    heal(bed, "leaf_beside_python", "build", "--select", "leaf_beside_python").check()


@pytest.mark.duckdb
@pytest.mark.parametrize(
    ("blocked", "why"),
    [
        ("leaf_after_python", "Python"),
        pytest.param("leaf_after_microbatch", "microbatch", marks=pytest.mark.dbt_version(">=1.10")),
    ],
)
@pytest.mark.promise("Healed equals built")
def test_what_a_hook_cannot_build_is_refused_with_the_command_that_builds_it(
    beds: Beds, heal: Callable[..., Comparison], blocked: str, why: str
) -> None:
    """What does not need it is built; the command that the refusal names brings a plain build's state."""
    bed = beds.healed("refused")
    result = bed.dbt("run", "--select", blocked, check=False)
    assert result.returncode != 0
    assert why in result.output
    assert " were built and stay" in result.output
    line = next(line for line in result.output.splitlines() if "dbt build --select" in line)
    bed.dbt("build", *line.split("dbt build ")[1].split())
    comparison = heal(
        bed, f"{blocked}, built by the command that the refusal names", "build", "--select", blocked
    )
    comparison.check()
    assert not comparison.healed


@pytest.mark.duckdb
@pytest.mark.postgres
@pytest.mark.slow
def test_a_thousand_models_are_healed_from_one_leaf(
    make_project: ProjectFactory, record_property: Recorder, dbt_environment: Environment
) -> None:
    """How long both take is measured by `scripts/bench --only heal`."""
    settings = {"vars": {"dbt_selfheal": {"timeout_seconds": 1500}}}
    plain, healed = make_project(files(), install=False), make_project(files(), config=settings)
    plain.dbt("build", timeout=1500)
    result = healed.dbt("run", "--select", "leaf", timeout=1500)
    assert len(result.healing_events) > 1000
    left, right = (_facts(project.database) for project in (plain, healed))
    found, total = differences(left, right), compared(left, right)
    adapter, core = healed.database.adapter, dbt_environment.dbt_version
    equal = total - len({difference.relation for difference in found})
    line = f"{adapter}, dbt {core}, 1,000 models from one leaf: {equal} of {total} relations equal"
    record_property("relations equal", line)
    assert not found, f"{line}\n{found[0]}"


def _facts(database: Database) -> Snapshot:
    """What the catalog of a test's own database tells."""
    profile = database.profile()
    if database.adapter == "duckdb":
        return snapshot("duckdb", {"path": profile["path"]})
    return snapshot("postgres", {key: profile[key] for key in ("host", "port", "user", "dbname")})
