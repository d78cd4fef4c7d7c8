"""AutoInitializer: the workspace of an application made ready from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dbt_selfheal.checker import options
from dbt_selfheal.errors import InitializationError
from dbt_selfheal.initializer import Initializer, Request
from dbt_selfheal.models import InitializationResult, RequiredTable
from dbt_selfheal.recorder import View


class AutoInitializer:
    """Makes a workspace ready: every required table exists, or an error says what to do.

    Args:
        project_dir: Folder of dbt_project.yml.
        profiles_dir: Folder of profiles.yml; None for dbt's default.
        profile: Name of the profile; None for the project's.
        target: Name of the target; None for the profile's.
        vars: Variables, as of dbt's `--vars`.
        select: What is required, when it is not what the project declares.
        threads: Build with dbt's own nodes on so many threads; None to choose by the plan's size.
        verbose: Show progress on standard error (FR-005).
        timeout_seconds: Time limit of the initialization, in seconds (SC-003); None for the setting
            timeout_seconds, which is 60 unless the project says otherwise.
        lock_timeout_seconds: How long to wait for another initialization, in seconds; 0 fails at once;
            None for the setting lock_timeout_seconds.
        log_file: File that events are appended to as JSON lines (NFR-001).
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
        threads: int | None = None,
        verbose: bool = False,
        timeout_seconds: float | None = None,
        lock_timeout_seconds: float | None = None,
        log_file: str | Path | None = None,
    ) -> None:
        if timeout_seconds is not None and timeout_seconds <= 0:
            raise ValueError(f"timeout_seconds must be more than 0, and is {timeout_seconds!r}")
        self._verbose = verbose
        self._request = Request(
            options=options(project_dir, profiles_dir, profile, target, vars),
            select=tuple(select),
            threads=threads,
            timeout=timeout_seconds,
            lock_timeout=lock_timeout_seconds,
            log_file=Path(log_file) if log_file is not None else None,
        )

    def ensure_initialized(self) -> InitializationResult:
        """Makes sure that every required table exists (FR-001 to FR-006, FR-008 to FR-010).

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
        """Builds given tables, and what they need, as far as they are missing (FR-002 to FR-004).

        Args:
            missing_tables: The tables, such as TableExistenceChecker returns them; none means nothing to do.

        Returns:
            The result with its steps.

        Raises:
            InitializationError: A step failed.
        """
        from dataclasses import replace

        if not missing_tables:
            return self._ensure(self._request)
        return self._ensure(
            replace(self._request, select=tuple(table.dbt_selector for table in missing_tables))
        )

    def _ensure(self, request: Request) -> InitializationResult:
        initializer = Initializer(request, self._view())
        outcome = initializer.ensure()
        if outcome.state == "failed":
            raise InitializationError(
                f"{len(outcome.missing)} required relations are missing: {', '.join(outcome.missing[:12])}",
                missing_tables=outcome.missing,
                remedy="vars.dbt_selfheal.on_missing keeps them from being built; run: dbt-selfheal plan",
            )
        return initializer.result()

    def _view(self) -> View:
        from dbt_selfheal.progress import view

        return view(quiet=not self._verbose)
