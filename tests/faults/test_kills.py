# ruff: noqa: E501 - SQL and Jinja in one line
"""Killed (SIGKILL) at random moments of healing, of migrations and initial data, of cloning; and as after a loss of power.

Real dbt on the real database. After one plain repeat everything equals what an undisturbed run makes; before it, what
existed is as it was and what is visible is whole.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from catalog import Snapshot, differences
from faults.bed import LEAF, Bed
from support import BOTH, HEALING, Database, DuckDbDatabase, Environment

pytestmark = [
    pytest.mark.duckdb,
    pytest.mark.postgres,
    pytest.mark.sqlite,
    pytest.mark.dbt_version(">=1.9"),
    pytest.mark.timeout(7200),
]
Record = Callable[[str, object], None]
ROUNDS = int(os.environ.get("KILL_ROUNDS", "10"))  # of each kind of work on each database: 80 in all
SAMPLE = 2  # without --faults
OFF = {"DBT_SELFHEAL_ENABLED": "false"}
MIGRATIONS = {
    "macros/m1.sql": "{% macro migration__1__users() %}create table {{ target.schema }}.users (name varchar(20) not null, level integer); "
    "insert into {{ target.schema }}.users values ('of the migration', 0){% endmacro %}",
    "macros/m2.sql": "{% macro migration__2__more() %}alter table {{ target.schema }}.users add column mail varchar(20); "
    "create table {{ target.schema }}.audit (id integer){% endmacro %}",
    "seeds/roles.csv": "code,title\nadmin,Administrator\nreader,Reader\n",
    "seeds/roles.yml": "seeds: [{name: roles, config: {meta: {selfheal: {load: insert_missing, key: [code]}}}}]\n",
}
ROWS = [{"name": f"user {number}", "level": number} for number in range(40)]
INITIAL_DATA = {"migrations": True, "initial_data": [{"table": "users", "key": ["name"], "rows": ROWS}]}
WORK: dict[str, dict[str, Any]] = {
    "healing": {},
    "migrations and initial data": {"more": MIGRATIONS, "settings": INITIAL_DATA, "packages": BOTH},
    "cloning": {"settings": {"on_missing": "clone"}, "arguments": ("--defer", "--state", "state")},
}
GROWING = (
    "users",
    "audit",
    "roles",
    "selfheal_migrations",
    "selfheal_migration_runs",
    "selfheal_initial_data_due",
)  # whole only when the work is done
HISTORY = "select version, success from selfheal_migrations order by 1"


@pytest.fixture
def make_bed(
    tmp_path: Path, database: Database, dbt_environment: Environment
) -> Iterator[Callable[[str], Bed]]:
    """Makes the project for a kind of work on a fresh database."""
    made: list[Bed] = []

    def make(work: str) -> Bed:
        if work == "cloning" and database.adapter == "sqlite":
            pytest.skip("a view of SQLite cannot read another schema, and dbt-sqlite clones by views")
        bed = Bed(tmp_path, database, dbt_environment, **{"packages": HEALING, **WORK[work]})
        made.append(bed)
        if bed.has_production:
            _write_state(bed, dbt_environment)
        bed.run()  # starts the server, whose first run builds everything
        return bed

    yield make
    for bed in made:
        bed.close()


def _write_state(bed: Bed, environment: Environment) -> None:
    """Writes the manifest of the other environment."""
    folder, output = bed.project.folder, {**bed.database.profile(), "threads": 1}
    outputs = {"dev": output, "prod": {**output, "schema": "prod"}}
    bed.project.write({"profiles.yml": yaml.safe_dump({"shop": {"target": "dev", "outputs": outputs}})})
    command = [str(environment.folder / "bin" / "dbt"), "parse", "--target", "prod", "--target-path", "state"]
    variables = {**environment.variables(), "DBT_PROFILES_DIR": str(folder), **OFF}
    subprocess.run(command, cwd=folder, env=variables, check=True, capture_output=True)


def history(bed: Bed) -> list[Any]:
    """Returns which migrations are applied; none where there are none."""
    if "selfheal_migrations" not in {name.split(".")[-1] for name in bed.database.relations()}:
        return []
    return bed.database.query(HISTORY)


def undisturbed(bed: Bed) -> tuple[Snapshot, list[Any], float]:
    """Returns what an undisturbed run leaves, and how long it takes, in seconds."""
    bed.reset()
    result = bed.run()
    assert result.returncode == 0, result.explain()
    whole = without(bed.facts(), ("selfheal_migrations",))
    assert bed.identities() == bed.kept
    return whole, history(bed), result.seconds


def without(facts: Snapshot, names: Sequence[str]) -> Snapshot:
    """Returns facts without those of some relations, and of what belongs to them."""
    return {name: found for name, found in facts.items() if not any(part in name for part in names)}


def repeated(bed: Bed, whole: Snapshot, applied: list[Any]) -> list[str]:
    """Runs the command as it is, and returns in what the database then differs from an undisturbed one."""
    result = bed.run()
    if result.returncode != 0:
        return [f"the repeat failed: {result.explain()}"]
    found = without(bed.facts(), ("selfheal_migrations",))
    problems = [str(difference) for difference in differences(whole, found)]
    if history(bed) != applied:
        problems.append(f"migrations: {history(bed)} in place of {applied}")
    if bed.identities() != bed.kept:
        problems.append("what existed was touched")
    return problems


def half_built(bed: Bed, whole: Snapshot) -> list[str]:
    """Returns what is visible after a kill and is not whole; the command's own node is dbt's."""
    mine = (f".{LEAF}", *GROWING)
    problems = [
        str(difference)
        for difference in differences(without(whole, mine), without(bed.facts(), mine), partial=True)
    ]
    if bed.identities() != bed.kept:
        problems.append("what existed was touched")
    return problems


@pytest.mark.parametrize("work", WORK)
def test_killed_at_a_random_moment_one_repeat_is_enough(
    make_bed: Callable[[str], Bed], work: str, pytestconfig: pytest.Config, record_property: Record
) -> None:
    bed = make_bed(work)
    whole, applied, seconds = undisturbed(bed)
    rounds = ROUNDS if pytestconfig.getoption("--faults") else SAMPLE
    seed = int(os.environ.get("KILL_SEED", str(random.randrange(10**6))))
    moments = random.Random(seed)
    problems, killed = [], 0
    for number in range(rounds):
        bed.reset()
        moment = moments.uniform(0.05, 1.0) * seconds
        running = bed.start()
        time.sleep(moment)
        running.kill()
        killed += running.wait(check=False).returncode == -9
        told = half_built(bed, whole) + repeated(bed, whole, applied)
        problems += [
            f"seed {seed}, round {number}, after {moment:.2f} of {seconds:.2f} s: {text}" for text in told
        ]
    counts = f"{rounds} random moments, {killed} killed, {len(problems)} problems (seed {seed})"
    record_property("survived", f"{bed.database.adapter} SIGKILL while {work}: {counts}")
    assert killed, "each had ended before"
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("work", WORK)
def test_a_database_file_as_a_loss_of_power_leaves_it_is_healed(
    database: Database,
    make_bed: Callable[[str], Bed],
    work: str,
    pytestconfig: pytest.Config,
    record_property: Record,
) -> None:
    """The file and its write-ahead log are copied while the process runs (held still, so that both are of one moment)."""
    if not isinstance(database, DuckDbDatabase):
        pytest.skip("PostgreSQL and SQLite keep to what they promise of that themselves")
    bed = make_bed(work)
    whole, applied, seconds = undisturbed(bed)
    rounds = int(os.environ.get("POWER_ROUNDS", "5")) if pytestconfig.getoption("--faults") else 1
    seed = int(os.environ.get("KILL_SEED", str(random.randrange(10**6))))
    moments = random.Random(seed)
    problems: list[str] = []
    for number in range(rounds):
        bed.reset()
        moment = moments.uniform(0.3, 0.95) * seconds
        running = bed.start()
        time.sleep(moment)
        _held_still(running.process.pid, database.path, bed.project.folder / "copy")
        done = running.wait(check=False)
        if done.returncode != 0:
            problems.append(f"the one that was held still: {done.explain()}")
        bed.reset()
        for copy in (bed.project.folder / "copy").iterdir():
            shutil.move(copy, database.path.with_name(copy.name))
        told = half_built(bed, whole) + repeated(bed, whole, applied)
        problems += [
            f"seed {seed}, round {number}, after {moment:.2f} of {seconds:.2f} s: {text}" for text in told
        ]
    counts = f"{rounds} copies of a running database healed, {len(problems)} problems (seed {seed})"
    record_property("survived", f"duckdb {work}: {counts}")
    assert not problems, "\n".join(problems)


def _held_still(pid: int, file: Path, folder: Path) -> None:
    """Copies a database file and its write-ahead log while their process does nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGSTOP)
    time.sleep(0.05)
    for path in (file, file.with_name(f"{file.name}.wal")):
        if path.exists():
            shutil.copyfile(path, folder / path.name)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGCONT)
