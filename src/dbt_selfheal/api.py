"""The Python API: an application's workspace made ready, its missing tables, hooks before a simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from dbt_selfheal.engine.attempt import Attempt, required_relations
from dbt_selfheal.engine.interface import Request, not_built
from dbt_selfheal.errors import (
    HookError,
)
from dbt_selfheal.models import InitializationResult, RequiredTable, TableTier
from dbt_selfheal.report.listeners import Listener
from dbt_selfheal.warm.catalog import CatalogUnavailableError, read_catalog
from dbt_selfheal.warm.check import WarmCheck
from dbt_selfheal.workspace.dbt import Options
from dbt_selfheal.workspace.project import read_workspace


class AutoInitializer:
    """Makes a workspace ready: every required table exists, or an error says what to do.

    Args:
        project_dir: Folder of dbt_project.yml.
        profiles_dir: Folder of profiles.yml; None for dbt's default.
        profile: Name of the profile; None for the project's.
        target: Name of the target; None for the profile's.
        vars: Variables, as of dbt's `--vars`.
        select: What is required, when it is not what the project declares, as for dbt's `--select`.
        exclude: What of that is not, as for dbt's `--exclude`.
        selector: The name of a selector in selectors.yml, in place of select and exclude.
        threads: Build with dbt's own nodes on so many threads; None to choose by the plan's size.
        verbose: Show progress on standard error.
        timeout_seconds: Time limit of the initialization, in seconds; None for the setting timeout_seconds,
            which is 60 unless the project says otherwise.
        lock_timeout_seconds: How long to wait for another initialization, in seconds; 0 fails at once;
            None for the setting lock_timeout_seconds.
        log_file: File that events are appended to as JSON lines, each step with its start, end and success.
        on_event: Called with each event, a dict as in the log file. The logger `dbt_selfheal` has them too.
        on_failure: Called with the last event of an attempt that failed, with `error`, `code` and `remedy`.
    """

    def __init__(
        self,
        project_dir: str | Path = ".",
        *,
        profiles_dir: str | Path | None = None,
        profile: str | None = None,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 (dbt's name)
        select: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        selector: str | None = None,
        threads: int | None = None,
        verbose: bool = False,
        timeout_seconds: float | None = None,
        lock_timeout_seconds: float | None = None,
        log_file: str | Path | None = None,
        on_event: Listener | None = None,
        on_failure: Listener | None = None,
    ) -> None:
        self._verbose = verbose
        self._request = Request.given(
            Options.given(project_dir, profiles_dir, profile, target, vars),
            select=select,
            exclude=exclude,
            selector=selector,
            threads=threads,
            timeout_seconds=timeout_seconds,
            lock_timeout_seconds=lock_timeout_seconds,
            log_file=log_file,
            on_event=on_event,
            on_failure=on_failure,
        )

    def ensure_initialized(self) -> InitializationResult:
        """Makes sure that every required table exists.

        What is missing is built, seeds first, by one process at a time, and then looked for again; what a
        failed attempt has built stays, and the next one builds the rest.

        Returns:
            The result; its state is COMPLETED.

        Raises:
            InitializationTimeoutError: It took longer than the limit.
            ConcurrentInitializationError: Another initialization is running, for longer than is waited for.
            DatabaseCorruptionError: The database file is damaged.
            InitializationError: It failed in another way; `remedy` says what to do.
        """
        return self._ensure(self._request)

    def run_initialization(self, missing_tables: list[RequiredTable]) -> InitializationResult:
        """Builds given tables, and what they need, as far as they are missing.

        Args:
            missing_tables: The tables, such as TableExistenceChecker returns them; none means nothing to do.

        Returns:
            The result with its steps.

        Raises:
            InitializationError: A step failed.
        """
        if not missing_tables:
            return self._ensure(self._request)
        return self._ensure(
            replace(
                self._request,
                select=tuple(table.dbt_selector for table in missing_tables),
                exclude=(),
                selector=None,
            )
        )

    def _ensure(self, request: Request) -> InitializationResult:
        from dbt_selfheal.report.progress import view

        attempt = Attempt(request, view(quiet=not self._verbose))
        outcome = attempt.ensure()
        if outcome.state == "failed":
            raise not_built(outcome.missing)
        return attempt.result()


class TableExistenceChecker:
    """Checks which tables exist and which required ones do not.

    Args:
        project_dir: Folder of dbt_project.yml.
        profiles_dir: Folder of profiles.yml; None for dbt's default.
        profile: Name of the profile; None for the project's.
        target: Name of the target; None for the profile's.
        vars: Variables, as of dbt's `--vars`.
        select: What is required, when it is not what the project declares, as for dbt's `--select`.
        exclude: What of that is not, as for dbt's `--exclude`.
        selector: The name of a selector in selectors.yml, in place of select and exclude.
    """

    def __init__(
        self,
        project_dir: str | Path = ".",
        *,
        profiles_dir: str | Path | None = None,
        profile: str | None = None,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 (dbt's name)
        select: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        selector: str | None = None,
    ) -> None:
        self._options = Options.given(project_dir, profiles_dir, profile, target, vars)
        self._request = Request.given(self._options, select=select, exclude=exclude, selector=selector)

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
        return [_table(entry) for entry in self._required() if not entry["exists"]]

    def get_required_tables(self) -> list[RequiredTable]:
        """Returns the required tables, whether they exist or not: what the project declares, or all nodes.

        Raises:
            InitializationError: dbt cannot tell.
        """
        return [_table(entry) for entry in self._required()]

    def is_initialized(self) -> bool:
        """Returns whether all required tables exist.

        Raises:
            InitializationError: dbt cannot tell.
        """
        if WarmCheck(read_workspace(self._options), self._request.selection()).is_ready():
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
        return required_relations(Attempt(self._request))


class _RequiredTables(Sequence[RequiredTable]):
    """The required tables of the project in the working directory, asked from dbt at the first use."""

    @cached_property
    def _tables(self) -> list[RequiredTable]:
        return TableExistenceChecker().get_required_tables()

    @overload
    def __getitem__(self, index: int) -> RequiredTable: ...

    @overload
    def __getitem__(self, index: slice) -> list[RequiredTable]: ...

    def __getitem__(self, index: int | slice) -> RequiredTable | list[RequiredTable]:
        return self._tables[index]

    def __len__(self) -> int:
        return len(self._tables)


REQUIRED_TABLES: Sequence[RequiredTable] = _RequiredTables()


@dataclass(frozen=True)
class _Hook:
    priority: int
    name: str
    run: Callable[[], object]


class HookManager:
    """Keeps hooks and runs them in the order of their priorities.

    Args:
        initializer: What makes the workspace ready, as the first of all hooks; None for no such hook.
        auto_initialize: False leaves that hook out, so that an application can pass on its own switch.
    """

    def __init__(self, initializer: AutoInitializer | None = None, *, auto_initialize: bool = True) -> None:
        self._hooks: list[_Hook] = []
        if initializer is not None and auto_initialize:
            hook = initializer.ensure_initialized
            self.register_pre_simulation_hook(hook, name="self-healing", priority=-1_000_000)

    def register_pre_simulation_hook(
        self, hook: Callable[[], object], *, name: str = "unnamed", priority: int = 0
    ) -> None:
        """Registers a hook to run before the simulation starts.

        Args:
            hook: What to call, such as `AutoInitializer(...).ensure_initialized`.
            name: Its name in error messages.
            priority: Lower runs earlier; equal priorities run in the order of registration.
        """
        self._hooks.append(_Hook(priority, name, hook))

    def run_pre_simulation_hooks(self) -> None:
        """Runs all hooks in order of priority; the simulation starts only after the last.

        Raises:
            HookError: A hook raised an error, kept as `original_error`; later hooks do not run.
        """
        for hook in sorted(self._hooks, key=lambda hook: hook.priority):
            try:
                hook.run()
            except Exception as error:
                raise HookError(hook.name, error) from error


def _table(entry: Mapping[str, Any]) -> RequiredTable:
    """Returns a required table of the package's status."""
    return RequiredTable.of_database(str(entry["name"]), str(entry["tier"]))
