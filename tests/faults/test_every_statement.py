# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Fails at the n-th statement of an initialization, for every n: nothing is lost, and a plain repeat converges.

Real dbt on the real database; inject.py puts the fault between the two. After each fault

- what existed before is what it was, row for row;
- what is visible is whole: equal to what an undisturbed run makes (exists means complete);
- an error is readable, and dbt ends with an exit code that tells of it;
- the same command again, with nothing cleaned up, succeeds and leaves a database equal to an undisturbed one.

A handful of statements in a default run; all of them with --faults, which prints the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from faults.bed import Bed, Fault
from support import Database, Environment

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.sqlite, pytest.mark.dbt_version(">=1.9")]

KINDS = ("fail", "hang", "kill")
SAMPLE = {
    "fail": (0.3, 0.7),
    "hang": (0.05, 0.2, 0.9),
    "kill": (0.4, 0.6, 0.8),
}  # of a default run: where, as a share of all


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for all kinds of fault in a default run, one for each with --faults."""
    if "kinds" in metafunc.fixturenames:
        cases: list[tuple[str, ...]] = (
            [(kind,) for kind in KINDS] if metafunc.config.getoption("--faults") else [KINDS]
        )
        metafunc.parametrize("kinds", cases, ids=["+".join(case) for case in cases])


@pytest.fixture
def bed(tmp_path: Path, database: Database, dbt_environment: Environment) -> Iterator[Bed]:
    """The project on a fresh database."""
    bed = Bed(tmp_path, database, dbt_environment)
    yield bed
    bed.close()


def attempt(bed: Bed, fault: Fault, whole: dict) -> list[str]:  # type: ignore[type-arg]
    """Injects one fault, repeats the command and returns what is wrong afterwards."""
    bed.reset()
    disturbed = bed.run({"kind": fault.kind, "at": fault.at})
    problems = bed.surprises(whole, complete=False)
    if fault.kind == "fail" and disturbed.returncode <= 0:
        problems.append(f"the failed statement went unnoticed: {disturbed.explain()}")
    if fault.kind != "fail" and disturbed.returncode != -9:
        problems.append(f"not killed: {disturbed.explain()}")
    if "Traceback" in disturbed.output:
        problems.append(f"a traceback: {disturbed.output[-2000:]}")
    repeated = bed.run()
    if repeated.returncode != 0:
        problems.append(f"the repeat failed: {repeated.explain()}")
    return [f"{fault}: {problem}" for problem in problems + bed.surprises(whole, complete=True)]


@pytest.mark.timeout(3600)
def test_a_fault_at_the_nth_statement_is_survived(
    bed: Bed,
    kinds: tuple[str, ...],
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    bed.run()  # starts the server, whose first run builds everything
    bed.reset()
    undisturbed = bed.run({"kind": "none", "at": 0})
    assert undisturbed.returncode == 0, undisturbed.explain()
    statements, whole = bed.statements(), bed.facts()
    assert bed.identities() == bed.kept
    assert len(whole) == 10, sorted(whole)
    problems: list[str] = []
    for kind in kinds:
        moments: Sequence[int] = range(1, len(statements) + 1)
        if not pytestconfig.getoption("--faults"):
            moments = [int(len(statements) * part) for part in SAMPLE[kind]]
        failed = 0
        for at in moments:
            found = attempt(bed, Fault(kind, at, statements[at - 1]), whole)
            problems += found
            failed += bool(found)
        counts = f"faults injected {len(moments)}, survived {len(moments) - failed}"
        record_property("survived", f"{bed.database.adapter} {kind}: {counts} ({len(statements)} statements)")
    assert not problems, "\n".join(problems)
