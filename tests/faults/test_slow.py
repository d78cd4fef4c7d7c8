"""Sixteen at once on a slow machine: each of their processes has at most a quarter of a core."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest
from catalog import differences
from conftest import ProjectFactory
from faults.bed import facts
from faults.conftest import WarmProjectFactory
from faults.test_concurrency import PARENTS, empty
from support import DbtProject, Environment
from wrapper.conftest import Cli

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.dbt_version(">=1.9"),
    pytest.mark.timeout(36000),
]
MANY = 16
SHARE, LOOK_SECONDS = 0.25, 0.1
PATIENCE = 1800.0
ROUNDS = int(os.environ.get("SLOW_ROUNDS", "20"))
FILES = {
    "seeds/regions.csv": "id,name\n1,north\n2,south\n",
    "models/v_regions.sql": "{{ config(materialized='view') }} select id from {{ ref('regions') }}",
    "models/base.sql": "select id from {{ ref('v_regions') }}",
    "models/inc_regions.sql": "{{ config(materialized='incremental') }} select id from {{ ref('base') }}",
    **{f"models/leaf_{n}.sql": f"select id, {n} as n from {{{{ ref('inc_regions') }}}}" for n in range(MANY)},
}
# The limit of who waits for the lock is the usual one unless $SLOW_LOCK_SECONDS says more.
LOCK_LIMIT = float(os.environ.get("SLOW_LOCK_SECONDS", "60"))
OURS = {"timeout_seconds": 1500, "lock_timeout_seconds": LOCK_LIMIT}
SETTINGS = {"vars": {"dbt_selfheal": OURS}, "models": {"+materialized": "table"}}


def _with_children(pids: Iterable[int]) -> list[psutil.Process]:
    """Returns processes and all that descend from them, as of now."""
    parents = {process.pid: process.info["ppid"] for process in psutil.process_iter(["ppid"])}
    known = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in known} - known:
        known |= more
    found = []
    for pid in known:
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found


@contextmanager
def quarter_of_a_core(pids: list[int]) -> Iterator[None]:
    """Holds each of some processes, and each that they start, to a quarter of a core, as cpulimit does.

    A process that has had more since it was first seen is stopped until it has not.
    """
    over = threading.Event()
    first: dict[int, tuple[float, float]] = {}

    def used(process: psutil.Process) -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    def look() -> None:
        for process in _with_children(pids):
            with suppress(psutil.Error):
                now, seconds = time.monotonic(), used(process)
                since, before = first.setdefault(process.pid, (now, seconds))
                has_had_more = seconds - before > SHARE * (now - since)
                (process.suspend if has_had_more else process.resume)()

    def hold() -> None:
        while not over.wait(LOOK_SECONDS):
            look()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for process in _with_children(pids):
            with suppress(psutil.Error):
                process.resume()


def _problems(project: DbtProject, whole: object, number: int) -> list[str]:
    found = differences(whole, facts(project.database))  # type: ignore[arg-type]
    return [f"round {number}: {difference}" for difference in found]


def test_sixteen_starters_of_exec(
    make_project: ProjectFactory, dbt_environment: Environment, record_property: Callable[[str, object], None]
) -> None:
    project = make_project(FILES, config=SETTINGS)
    project.dbt("run", "-s", *(f"leaf_{n}" for n in range(MANY)))
    whole = facts(project.database)
    cli, problems, failures, seconds = Cli(dbt_environment), [], 0, []
    try:
        for number in range(ROUNDS):
            empty(project)
            started = time.monotonic()
            processes = [
                cli.start(
                    project,
                    "exec",
                    "--",
                    "dbt",
                    "run",
                    "-s",
                    f"leaf_{n}",
                    env={"DBT_TARGET_PATH": f"target-{n}"},
                )
                for n in range(MANY)
            ]
            with quarter_of_a_core([process.pid for process in processes]):
                for process in processes:
                    output = "".join(process.communicate(timeout=PATIENCE))
                    if process.returncode != 0:
                        failures += 1
                        problems.append(f"round {number}: {process.returncode}: {output[-1500:]}")
            seconds.append(time.monotonic() - started)
            problems += _problems(project, whole, number)
            print(f"exec: round {number}, {seconds[-1]:.0f} s, {failures} failures so far", flush=True)
    finally:
        cli.close()
    record_property("survived", _figures("`dbt-selfheal exec`", failures, seconds))
    assert not problems, "\n".join(problems)


def test_sixteen_bare_runs(
    make_warm_project: WarmProjectFactory, record_property: Callable[[str, object], None]
) -> None:
    project = make_warm_project(FILES, "run", "-s", "leaf_0", settings=OURS)
    project.dbt("parse")
    empty(project)
    project.dbt("run", "-s", *(f"leaf_{n}" for n in range(MANY)))
    whole = facts(project.database)
    problems, failures, seconds = [], 0, []
    for number in range(ROUNDS):
        empty(project)
        started = time.monotonic()
        running = [
            project.start("run", "-s", f"leaf_{n}", env={"DBT_TARGET_PATH": f"target-{n}"})
            for n in range(MANY)
        ]
        with quarter_of_a_core([run.process.pid for run in running]):
            results = [run.wait(check=False, timeout=PATIENCE) for run in running]
        seconds.append(time.monotonic() - started)
        failed = [result for result in results if result.returncode != 0]
        failures += len(failed)
        problems += [f"round {number}: {result.explain()}" for result in failed]
        built = Counter(
            event["unique_id"].split(".")[2]
            for result in results
            for event in result.healing_events
            if event["event"] == "initialization_node_complete"
        )
        if built != dict.fromkeys(PARENTS, 1):
            problems.append(f"round {number}: built {built}")
        problems += _problems(project, whole, number)
        print(f"bare: round {number}, {seconds[-1]:.0f} s, {failures} failures so far", flush=True)
    record_property("survived", _figures("bare `dbt run`", failures, seconds))
    assert not problems, "\n".join(problems)


def _figures(what: str, failures: int, seconds: list[float]) -> str:
    mean = sum(seconds) / len(seconds)
    load = os.getloadavg()[1]
    return (
        f"postgres: {len(seconds)} rounds of {MANY} {what} held to a quarter of a core: "
        f"{failures} failures, {mean:.0f} s a round, load of the machine {load:.0f}"
    )
