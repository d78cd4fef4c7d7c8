"""Options, markers and fixtures of all tests: which dbt and which database they run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from packaging.specifiers import SpecifierSet
from support import (
    ADAPTERS,
    BOTH,
    HEALING,
    WAREHOUSES,
    ClickHouseDatabase,
    Database,
    DbtProject,
    DbtServer,
    DuckDbDatabase,
    EngineProcesses,
    Environment,
    PostgresDatabase,
    PostgresServer,
    RedshiftDatabase,
    SnowflakeDatabase,
    SparkDatabase,
    SqliteDatabase,
    StandIn,
    default_environment,
    warm_server,
)
from support.stand_ins.redshift_proxy import Proxy

OPTIONAL = {"slow": "--slow", "faults": "--faults", "dbt_utils": "--dbt-utils", "readers": "--readers"}
collect_ignore = ["conformance"]  # a pytest of its own: tests/conformance/run.py


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options that choose the environment, the database and the optional tests."""
    group = parser.getgroup("dbt-selfheal")
    group.addoption(
        "--dbt-env",
        metavar="NAME",
        help="environment of scripts/environments that dbt runs in (default: dev)",
    )
    group.addoption(
        "--adapter", choices=ADAPTERS, default="duckdb", help="database to run on (default: duckdb)"
    )
    group.addoption(
        "--promises",
        action="store_true",
        help="run only tests marked promise; of each the first case, unless the mark has cases='all'",
    )
    group.addoption("--slow", action="store_true", help="run the tests marked slow too")
    group.addoption("--faults", action="store_true", help="run the tests marked faults too")
    group.addoption("--dbt-utils", action="store_true", help="run the tests marked dbt_utils too")
    group.addoption("--readers", action="store_true", help="run the tests marked readers too")


def _environment(config: pytest.Config) -> Environment:
    """Returns the environment asked for; raises UsageError if it is not there or lacks the adapter."""
    adapter = config.getoption("--adapter")
    try:
        environment = Environment(config.getoption("--dbt-env") or default_environment(adapter))
    except FileNotFoundError as error:
        raise pytest.UsageError(str(error)) from None
    if environment.version_of(f"dbt-{adapter}") is None and not environment.is_v2:
        raise pytest.UsageError(
            f"the environment {environment.name} has no dbt-{adapter}; choose another with --dbt-env"
        )
    return environment


def pytest_report_header(config: pytest.Config) -> str:
    """Says in the first lines what the tests run on."""
    environment = _environment(config)
    adapter = config.getoption("--adapter")
    plugin = environment.version_of(f"dbt-{adapter}") or ""
    return f"dbt: {environment.dbt_version} with {adapter} {plugin} ({environment.folder})"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests of other adapters and skips those that were not asked for or need another dbt."""
    adapter = config.getoption("--adapter")
    version = _environment(config).dbt_version
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        adapters = {name for name in ADAPTERS if item.get_closest_marker(name)}
        (kept if not adapters or adapter in adapters else left_out).append(item)
        for name, option in OPTIONAL.items():
            if item.get_closest_marker(name) and not config.getoption(option):
                item.add_marker(pytest.mark.skip(reason=f"marked {name}: run with {option}"))
        for marker in item.iter_markers("dbt_version"):
            if not SpecifierSet(marker.args[0]).contains(version, prereleases=True):
                item.add_marker(
                    pytest.mark.skip(reason=f"needs dbt-core {marker.args[0]}, this is {version}")
                )
    if config.getoption("--promises"):
        chosen = _promises(kept)
        left_out += [item for item in kept if item not in chosen]
        kept = [item for item in kept if item in chosen]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def _promises(items: list[pytest.Item]) -> set[pytest.Item]:
    """Returns the tests that show a promise; of one with many cases the first that is not skipped, or all."""
    found: set[pytest.Item] = set()
    covered: set[str] = set()
    for item in items:
        mark = item.get_closest_marker("promise")
        if mark is None or item.get_closest_marker("skip"):
            continue
        name = item.nodeid.partition("[")[0]
        if name not in covered or mark.kwargs.get("cases") == "all":
            found.add(item)
        covered.add(name)
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what the fidelity tests have compared and what the fault tests have survived, each on a line."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    titles = {
        "relations equal": "healed equals built",
        "survived": "nothing lost",
        "harmless": "the same with the package and without it",
        "random projects": "random projects",
    }
    for prefix, title in titles.items():
        lines = {
            str(value)
            for report in reports
            for name, value in getattr(report, "user_properties", ())
            if name == prefix
        }
        if lines:
            terminalreporter.section(title)
            for line in sorted(lines):
                terminalreporter.write_line(line)
            if prefix == "harmless":
                equal = sum(line.startswith("equal") for line in lines)
                terminalreporter.write_line(f"situations: {len(lines)}, equal: {equal}")


@pytest.fixture(scope="session")
def dbt_environment(pytestconfig: pytest.Config) -> Environment:
    """The environment that dbt runs in."""
    return _environment(pytestconfig)


@pytest.fixture(scope="session")
def dbt_server(
    dbt_environment: Environment, adapter_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DbtServer]:
    """The fork server that runs dbt; started at its first use, one for each worker. dbt v2 has none."""
    if dbt_environment.is_v2:
        yield EngineProcesses(dbt_environment)
        return
    server = warm_server(dbt_environment, adapter_name, tmp_path_factory.mktemp("warm") / "project")
    yield server
    server.close()


@pytest.fixture(scope="session")
def adapter_name(pytestconfig: pytest.Config) -> str:
    """The name of the adapter that the tests run on."""
    name: str = pytestconfig.getoption("--adapter")
    return name


@pytest.fixture(scope="session")
def postgres_server(dbt_environment: Environment) -> Iterator[PostgresServer]:
    """A PostgreSQL server, one for each worker."""
    server = PostgresServer(tcp=dbt_environment.is_v2)
    yield server
    server.close()


@pytest.fixture(scope="session")
def stand_in(dbt_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The server that stands for a warehouse, one for each worker."""
    server = StandIn(dbt_environment, tmp_path_factory.mktemp("stand-in") / dbt_environment.name)
    yield server
    server.close()


@pytest.fixture(scope="session")
def redshift_proxy(postgres_server: PostgresServer) -> Iterator[Proxy]:
    """What lets Redshift's driver speak to the PostgreSQL server."""
    proxy = Proxy(postgres_server.folder / f".s.PGSQL.{PostgresServer.port}")
    yield proxy
    proxy.close()


@pytest.fixture
def make_database(
    adapter_name: str, dbt_server: DbtServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Database]]:
    """Makes fresh databases of the tested kind."""
    made: list[Database] = []

    def make() -> Database:
        folder = tmp_path / f"database-{len(made) + 1}"
        folder.mkdir()
        database: Database
        if adapter_name == "postgres":
            database = PostgresDatabase(request.getfixturevalue("postgres_server"))
        elif adapter_name == "sqlite":
            database = SqliteDatabase(folder)
        elif adapter_name == "redshift":
            database = RedshiftDatabase(
                request.getfixturevalue("postgres_server"), request.getfixturevalue("redshift_proxy")
            )
        elif adapter_name in WAREHOUSES:
            kind = {"clickhouse": ClickHouseDatabase, "snowflake": SnowflakeDatabase}[adapter_name]
            database = kind(request.getfixturevalue("stand_in"))
        elif adapter_name == "spark":
            database = SparkDatabase(folder, dbt_server)
        else:
            database = DuckDbDatabase(folder)
        made.append(database)
        return database

    yield make
    for database in made:
        database.close()


@pytest.fixture
def database(make_database: Callable[[], Database]) -> Database:
    """A fresh database of the tested kind."""
    return make_database()


@pytest.fixture
def target(database: Database) -> dict[str, Any]:
    """The output of profiles.yml for `database`."""
    return database.profile()


class ProjectFactory(Protocol):
    """The type of the fixture make_project."""

    def __call__(
        self,
        files: Mapping[str, str] | Path,
        *,
        config: Mapping[str, Any] | None = None,
        database: Database | None = None,
        install: bool = True,
        packages: Sequence[str] | None = None,
        name: str = "shop",
    ) -> DbtProject:
        """Makes a project from files, or from a copy of a folder.

        Args:
            files: Content by path, or the folder of a project.
            config: More keys of dbt_project.yml.
            database: What it builds into; a fresh database if not given.
            install: Whether the packages are installed.
            packages: Which of this repository's packages, by their names; both in tests marked both_packages.
            name: The project's name.

        Returns:
            The project.
        """
        ...


@pytest.fixture
def make_project(
    make_database: Callable[[], Database],
    dbt_server: DbtServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> ProjectFactory:
    """Makes projects, each in a folder of its own and by default on a fresh database."""
    count = 0
    usual = BOTH if request.node.get_closest_marker("both_packages") else HEALING

    def make(
        files: Mapping[str, str] | Path,
        *,
        config: Mapping[str, Any] | None = None,
        database: Database | None = None,
        install: bool = True,
        packages: Sequence[str] | None = None,
        name: str = "shop",
    ) -> DbtProject:
        nonlocal count
        count += 1
        packages = usual if packages is None else packages
        folder = tmp_path / f"project-{count}"
        database = database or make_database()
        if isinstance(files, Path):
            project = DbtProject.copy(files, folder, database, dbt_server, install=install, packages=packages)
            if config:
                project.configure(**config)
            return project
        return DbtProject(
            folder,
            database,
            dbt_server,
            files=files,
            config=config,
            install=install,
            packages=packages,
            name=name,
        )

    return make
