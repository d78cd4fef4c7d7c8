"""Which required tables are missing; asked of the macros, whose plan is the only one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dbt_selfheal.catalog import CatalogUnavailableError, read_catalog
from dbt_selfheal.errors import ConcurrentInitializationError
from dbt_selfheal.initializer import Initializer, Request
from dbt_selfheal.lock import lock_file
from dbt_selfheal.models import RequiredTable, TableTier
from dbt_selfheal.warm import WarmCheck
from dbt_selfheal.workspace import Options, read_workspace


class TableExistenceChecker:
    """Checks which tables exist and which required ones do not (FR-001).

    Args:
        project_dir: Folder of dbt_project.yml.
        profiles_dir: Folder of profiles.yml; None for dbt's default.
        profile: Name of the profile; None for the project's.
        target: Name of the target; None for the profile's.
        vars: Variables, as of dbt's `--vars`.
        select: What is required, when it is not what the project declares.
    """

    def __init__(
        self,
        project_dir: str | Path = ".",
        *,
        profiles_dir: str | Path | None = None,
        profile: str | None = None,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 (dbt's name)
        select: Sequence[str] = (),
    ) -> None:
        self._options = options(project_dir, profiles_dir, profile, target, vars)
        self._select = tuple(select)

    def get_existing_tables(self) -> set[str]:
        """Returns the names of all tables and views in the target's schema, asked from the database.

        Raises:
            InitializationError: The project or profile is wrong, or the database cannot be asked.
        """
        workspace = read_workspace(self._options)
        try:
            found = read_catalog(workspace)
        except CatalogUnavailableError:
            if workspace.database_file is not None and not workspace.database_file.exists():
                return set()
            return {str(entry["name"]) for entry in self._required() if entry["exists"]}
        return {name for _, schema, name in found if schema == workspace.schema.lower()}

    def get_missing_tables(self) -> list[RequiredTable]:
        """Returns the required tables that do not exist.

        Raises:
            InitializationError: dbt cannot tell.
        """
        return [
            RequiredTable(name=entry["name"], tier=TableTier(entry["tier"]), dbt_selector=entry["name"])
            for entry in self._required()
            if not entry["exists"]
        ]

    def is_initialized(self) -> bool:
        """Returns whether all required tables exist.

        Raises:
            InitializationError: dbt cannot tell.
        """
        if WarmCheck(read_workspace(self._options), self._select).is_ready():
            return True
        return all(entry["exists"] for entry in self._required())

    def get_missing_by_tier(self) -> dict[TableTier, list[RequiredTable]]:
        """Returns the missing tables by tier; empty if none is missing.

        Raises:
            InitializationError: dbt cannot tell.
        """
        tiers: dict[TableTier, list[RequiredTable]] = {}
        for table in self.get_missing_tables():
            tiers.setdefault(table.tier, []).append(table)
        return tiers

    def _required(self) -> list[dict[str, Any]]:
        initializer = Initializer(Request(options=self._options, select=self._select))
        status = initializer.status()
        found: list[dict[str, Any]] = status.get("required", [])
        file = lock_file(initializer.workspace) if initializer.workspace is not None else None
        if status["state"] == "in_progress" and not found and file is not None:
            raise ConcurrentInitializationError(file, holder=str(status.get("lock_holder") or ""))
        return found


def options(
    project_dir: str | Path,
    profiles_dir: str | Path | None,
    profile: str | None,
    target: str | None,
    vars: Mapping[str, Any] | None,  # noqa: A002
) -> Options:
    """Returns dbt's options for the arguments of the API."""
    import json

    return Options(
        project_dir=str(Path(project_dir).resolve()),
        profiles_dir=str(Path(profiles_dir).resolve()) if profiles_dir is not None else None,
        profile=profile,
        target=target,
        vars=json.dumps(dict(vars)) if vars else None,
    )
