"""Options and fixtures of the conformance suite: dbt's own fixtures, with the package put into each project.

The suite runs in a pytest of its own (run.py starts it), which does not read tests/conftest.py.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt_common import behavior_flags
from support import PostgresServer

from conformance.adapters import SAMPLE
from conformance.recording import Recorder
from conformance.upstream import Upstream

MODES = ("none", "warm", "dropped")
PACKAGE = "dbt_selfheal"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options that say on which database and how a run is made."""
    group = parser.getgroup("conformance")
    group.addoption("--adapter", choices=("duckdb", "postgres"), default="duckdb")
    group.addoption(
        "--with-package",
        choices=MODES,
        default="none",
        help="none: without the package; warm: with it; dropped: with it, and before each command what it "
        "reads and does not select is dropped",
    )
    group.addoption("--package", type=Path, help="folder of the package (default: this repository)")
    group.addoption("--answer", type=Path, metavar="FILE", help="where the recorded results are written")
    group.addoption("--sample", action="store_true", help="only the classes of the sample")


RECORDER = pytest.StashKey[Recorder]()


def pytest_configure(config: pytest.Config) -> None:
    """Starts the recording, and the dropping if this run is to drop."""
    # dbt looks up in the sources of the whole stack who made an adapter: under pytest, most of the time.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(behavior_flags.BehaviorFlagRendered, "_default_source", staticmethod(lambda: "?"))
    config.add_cleanup(monkeypatch.undo)
    os.environ["CONFORMANCE_ADAPTER"] = config.getoption("--adapter")  # suites.py makes its classes by it
    recorder = Recorder(own_hooks=f"operation.{PACKAGE}.")
    recorder.watch_commands()
    if config.getoption("--with-package") == "dropped":
        Upstream(recorder).watch_commands()
    config.stash[RECORDER] = recorder
    answer = config.getoption("--answer")
    if answer is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Answer(answer))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the sample, if that is asked for."""
    if config.getoption("--sample"):
        chosen = [item for item in items if getattr(getattr(item, "cls", None), "suite", "") in SAMPLE]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Records each phase of a test; the record travels with pytest's report, also between processes."""
    report = yield
    project = getattr(item, "funcargs", {}).get("project")
    record = item.config.stash[RECORDER].phase(report, project)
    suite = getattr(getattr(item, "cls", None), "suite", "?")
    report.conformance = {"test": f"{suite}::{item.name}", **record}  # type: ignore[attr-defined]
    return report


class Answer:
    """Puts the phases of each test together and writes them as they come, in the process that pytest runs in.

    Args:
        file: Where they are written.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes up a phase of a test."""
        record: dict[str, Any] = dict(getattr(report, "conformance", {}))
        test = self._tests.setdefault(record.pop("test"), {"outcome": "passed", "seconds": 0.0})
        test["seconds"] = round(test["seconds"] + record.pop("seconds"), 2)
        outcome = record.pop("outcome")
        test.update(record)
        if test["outcome"] == "passed":
            test["outcome"] = outcome
        if report.when == "teardown":
            self.file.write_text(json.dumps(self._tests, indent=1, sort_keys=True))


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole run, with the names that the suites of hooks and grants expect."""
    server = PostgresServer()
    try:
        with server.connection("postgres") as connection:
            cursor = connection.cursor()
            cursor.execute("create role root superuser login")
            cursor.execute("create database dbt owner root")
            for number in (1, 2, 3):
                cursor.execute(f"create role dbt_test_user_{number} login")
                os.environ[f"DBT_TEST_USER_{number}"] = f"dbt_test_user_{number}"
        yield server
    finally:
        server.close()


@pytest.fixture(scope="class")
def dbt_profile_target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """The output of profiles.yml, with a database for each class."""
    if request.config.getoption("--adapter") == "duckdb":
        folder = tmp_path_factory.mktemp("database")
        yield {"type": "duckdb", "threads": 4, "path": str(folder / "dbt.duckdb")}
        shutil.rmtree(folder, ignore_errors=True)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    yield {
        "type": "postgres",
        "threads": 4,
        "host": str(server.folder),
        "port": server.port,
        "user": "root",
        "pass": "",
        "dbname": "dbt",
    }


@pytest.fixture(scope="class")
def packages_yml(request: pytest.FixtureRequest, project_root: Any, packages: dict[str, Any] | str) -> None:
    """Writes packages.yml with the package in it, and installs it as `dbt deps` would."""
    content = dict((yaml.safe_load(packages) if isinstance(packages, str) else packages) or {})
    if request.config.getoption("--with-package") != "none":
        package = request.config.getoption("--package") or Path(__file__).resolve().parents[2]
        content["packages"] = [*content.get("packages", []), {"local": str(package)}]
        installed = Path(project_root, "dbt_packages", PACKAGE)
        installed.parent.mkdir(exist_ok=True)
        installed.symlink_to(package, target_is_directory=True)
    if content:
        Path(project_root, "packages.yml").write_text(yaml.safe_dump(content))


@pytest.fixture(scope="module")
def test_data_dir() -> str:
    """The files that the suites expect every adapter to bring."""
    return str(Path(__file__).with_name("data"))
