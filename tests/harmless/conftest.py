"""Folder and databases of the situations: always the same, so that what dbt has parsed can be used again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harmless.situation import Situation
from harmless.world import World
from support import Database, DbtServer, DuckDbDatabase, PostgresDatabase, PostgresServer


@pytest.fixture(scope="session")
def postgres_server_with_fdw() -> Iterator[PostgresServer]:
    """A PostgreSQL server that has postgres_fdw, which the packaged one lacks; skips where there is none."""
    try:
        server = PostgresServer(extension="postgres_fdw")
    except RuntimeError as error:
        pytest.skip(str(error))
    yield server
    server.close()


@pytest.fixture(scope="session")
def situations_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which one situation after the other is brought about."""
    return tmp_path_factory.mktemp("situations")


@pytest.fixture
def make_world(
    adapter_name: str, dbt_server: DbtServer, situations_folder: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[Situation], World]]:
    """Makes the world of a situation, on a fresh database."""
    folder = situations_folder / "world"
    made: list[Database] = []

    def make(situation: Situation) -> World:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "database").mkdir(parents=True)
        if adapter_name == "duckdb":
            made.append(DuckDbDatabase(folder / "database"))
        else:
            fixture = "postgres_server_with_fdw" if "postgres_fdw" in situation.needs else "postgres_server"
            made.append(PostgresDatabase(request.getfixturevalue(fixture), "situation"))
        return World(situation, folder, made[-1], dbt_server, situations_folder / "parsed")

    yield make
    for database in made:
        for state in ("warm", "cold"):
            if isinstance(database, PostgresDatabase):
                database.server.drop_database(f"{database.name}_{state}")
        database.close()
