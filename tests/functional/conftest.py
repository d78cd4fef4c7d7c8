"""Projects that a module's tests share: the database is reset, what dbt has parsed is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import pytest
from functional.helpers import CONFIG, FILES, clear
from support import HEALING, DbtProject, DbtServer, DuckDbDatabase


class SharedProjectFactory(Protocol):
    """The type of the fixture make_shared_project."""

    def __call__(
        self,
        files: Mapping[str, str],
        *,
        config: Mapping[str, Any] | None = None,
        install: bool = True,
        packages: Sequence[str] = HEALING,
    ) -> DbtProject:
        """Makes a project on a DuckDB of its own that lives as long as the module's tests.

        Args:
            files: Content by path.
            config: More keys of dbt_project.yml.
            install: Whether the packages are installed.
            packages: Which of this repository's packages, by their names.

        Returns:
            The project.
        """
        ...


@pytest.fixture(scope="module")
def make_shared_project(
    tmp_path_factory: pytest.TempPathFactory, dbt_server: DbtServer
) -> SharedProjectFactory:
    """Makes projects that the tests of a module share."""

    def make(
        files: Mapping[str, str],
        *,
        config: Mapping[str, Any] | None = None,
        install: bool = True,
        packages: Sequence[str] = HEALING,
    ) -> DbtProject:
        folder = tmp_path_factory.mktemp("shared")
        (folder / "database").mkdir()
        database = DuckDbDatabase(folder / "database")
        return DbtProject(
            folder / "project",
            database,
            dbt_server,
            files=files,
            config=config,
            install=install,
            packages=packages,
        )

    return make


@pytest.fixture(scope="module")
def shared_workspace(make_shared_project: SharedProjectFactory) -> DbtProject:
    """The workspace of helpers.py, in any state."""
    return make_shared_project(FILES, config=CONFIG)


@pytest.fixture
def workspace(shared_workspace: DbtProject) -> Iterator[DbtProject]:
    """The workspace of helpers.py with no database file."""
    clear(shared_workspace)
    yield shared_workspace
    for path, content in FILES.items():  # the next test finds what this one found
        target = shared_workspace.folder / path
        if not target.is_file() or target.read_text(errors="replace") != content:
            shared_workspace.write({path: content})
