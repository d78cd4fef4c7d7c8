"""Projects whose dbt starts at once: many at the same moment, or hundreds in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
from faults.warm import WarmServer
from support import Database, DbtProject, Environment


class WarmProjectFactory(Protocol):
    """The type of the fixture make_warm_project."""

    def __call__(
        self,
        files: Mapping[str, str],
        *arguments: str,
        settings: Mapping[str, Any] | None = None,
        profile: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        install: bool = True,
    ) -> DbtProject:
        """Makes a project on a fresh database and runs one command in it, from which all others are forked.

        Args:
            files: Content by path.
            *arguments: The first command.
            settings: Of the package.
            profile: What to change in the profile.
            env: More environment variables of the first command.
            install: Whether the package is installed.
        """
        ...


@pytest.fixture
def make_warm_project(
    make_database: Callable[[], Database], dbt_environment: Environment, tmp_path: Path
) -> Iterator[WarmProjectFactory]:
    """Makes projects whose dbt has parsed them already."""
    servers: list[WarmServer] = []

    def make(
        files: Mapping[str, str],
        *arguments: str,
        settings: Mapping[str, Any] | None = None,
        profile: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        install: bool = True,
    ) -> DbtProject:
        folder = tmp_path / f"warm-{len(servers) + 1}"
        server = WarmServer(dbt_environment, folder, arguments, env or {})
        servers.append(server)
        config = {
            "vars": {"dbt_selfheal": {"timeout_seconds": 600, **(settings or {})}},
            "models": {"+materialized": "table"},
        }
        project = DbtProject(folder, make_database(), server, files=files, config=config, install=install)
        project.write_profile(**{"threads": 1, **(profile or {})})
        return project

    yield make
    for server in servers:
        server.close()
