"""What an attempt is asked to do, how it ended, and what an engine, one way of running dbt, does for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dbt_selfheal.errors import ConfigurationError, DiskSpaceError
from dbt_selfheal.report.listeners import Listener, log_event
from dbt_selfheal.workspace.dbt import Options
from dbt_selfheal.workspace.files import DEFAULT_MIN_FREE_MB
from dbt_selfheal.workspace.project import DEFAULT_LOCK_TIMEOUT, DEFAULT_TIMEOUT, Workspace

if TYPE_CHECKING:
    from dbt_selfheal.engine.messages import Messages

NO_TIMEOUT = 365 * 24 * 3600.0


def missing_text(names: Sequence[str]) -> str:
    """Returns which required relations are missing: `1 required relation is missing: orders`."""
    are, more = "relation is" if len(names) == 1 else "relations are", ", ..." if len(names) > 12 else ""
    return f"{len(names)} required {are} missing: {', '.join(names[:12])}{more}"


def not_built(names: list[str]) -> ConfigurationError:
    """Returns the error of relations that a setting keeps from being built."""
    return ConfigurationError(
        missing_text(names),
        missing_tables=names,
        code="selfheal-missing",
        remedy="vars.dbt_selfheal.on_missing keeps them from being built; run: dbt-selfheal plan",
    )


@dataclass(frozen=True)
class Request:
    """What an attempt is asked to do; what is None is decided by the project's settings."""

    options: Options = field(default_factory=Options)
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    selector: str | None = None
    reads: Mapping[str, Any] | None = None  # a command of dbt, what it reads is required; see workspace.dbt
    threads: int | None = None
    timeout: float | None = None
    lock_timeout: float | None = None
    min_free_mb: float | None = None
    log_file: Path | None = None
    dbt_output: bool = False
    force: bool = False
    on_event: tuple[Listener, ...] = ()  # hear each event
    on_failure: Listener | None = None  # hears the last one of an attempt that failed

    def __post_init__(self) -> None:
        if self.selector and (self.select or self.exclude):
            raise ConfigurationError(
                "--selector is given with --select or --exclude, of which dbt takes one",
                code="selfheal-selection-wrong",
                remedy="Give only one of them, or put the whole selection into selectors.yml.",
            )

    @classmethod
    def given(
        cls,
        options: Options,
        *,
        select: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        selector: str | None = None,
        threads: int | None = None,
        timeout_seconds: float | None = None,
        lock_timeout_seconds: float | None = None,
        log_file: str | Path | None = None,
        on_event: Listener | None = None,
        on_failure: Listener | None = None,
    ) -> Request:
        """Returns the request for the arguments of the Python API; raises ValueError for one out of range."""
        if timeout_seconds is not None and timeout_seconds <= 0:
            raise ValueError(f"timeout_seconds must be more than 0, and is {timeout_seconds!r}")
        if lock_timeout_seconds is not None and lock_timeout_seconds < 0:
            raise ValueError(f"lock_timeout_seconds must not be negative, and is {lock_timeout_seconds!r}")
        return cls(
            options=options,
            select=_names(select),
            exclude=_names(exclude),
            selector=selector,
            threads=threads,
            timeout=timeout_seconds,
            lock_timeout=lock_timeout_seconds,
            log_file=Path(log_file) if log_file is not None else None,
            on_event=(log_event, on_event) if on_event is not None else (log_event,),
            on_failure=on_failure,
        )

    def selection(self) -> list[str]:
        """Returns the arguments of dbt, and of this command, that select what is required; empty for none."""
        chosen = [("--select", value) for value in dict.fromkeys(self.select)]
        chosen += [("--exclude", value) for value in dict.fromkeys(self.exclude)]
        chosen += [("--selector", self.selector)] if self.selector else []
        return [text for pair in chosen for text in pair]

    def is_passing(self) -> bool:
        """Returns whether what is required differs each time: SQL given inline, or a state's files."""
        reads = self.reads or {}
        return bool(reads.get("inline")) or "--state" in reads.get("selection", ())

    def time_limit(self, workspace: Workspace) -> float:
        """Returns the time limit of the initialization, in seconds; a year where the setting is null."""
        if self.timeout is not None:
            return self.timeout
        if workspace.settings.get("timeout_seconds", DEFAULT_TIMEOUT) is None:
            return NO_TIMEOUT
        return workspace.seconds("timeout_seconds", DEFAULT_TIMEOUT)

    def lock_limit(self, workspace: Workspace) -> float:
        """Returns how long to wait for another initialization, in seconds."""
        if self.lock_timeout is not None:
            return self.lock_timeout
        return workspace.seconds("lock_timeout_seconds", DEFAULT_LOCK_TIMEOUT)

    def least_free_mb(self) -> float:
        """Returns the least free disk space, in megabytes; raises ConfigurationError if it is no number."""
        if self.min_free_mb is not None:
            return self.min_free_mb
        given = os.environ.get("DBT_SELFHEAL_MIN_FREE_MB")
        try:
            return float(given) if given else DEFAULT_MIN_FREE_MB
        except ValueError:
            raise ConfigurationError(
                f"DBT_SELFHEAL_MIN_FREE_MB must be a number of megabytes, and is {given!r} (environment)",
                code="selfheal-setting-wrong",
                remedy="Set it to a number, such as 100, or unset it.",
            ) from None


@dataclass
class Outcome:
    """How an attempt ended, without the models, which take time to import."""

    state: str
    way: str
    missing: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    present: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Job:
    """What dbt does in one process.

    Args:
        mode: `ensure`, `plan`, `status`, `operation` or `health`.
        refuse: Whether nothing may be built.
        note: What is said when it starts; empty for nothing.
        quiet: Whether dbt's own output stays hidden even if it was asked for.
        operation: The macro of another package than the one that heals, if it needs one.
        details: What the mode needs: `operation` with its `name` and `arguments`, `tests`.
        limit: The time limit in seconds; None for that of the request.
    """

    mode: str
    refuse: bool = False
    note: str = "Starting dbt"
    quiet: bool = False
    operation: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    limit: float | None = None


class Engine(Protocol):
    """One way of running dbt. What dbt reports goes to `messages`; attempts know no more of an engine."""

    messages: Messages

    def run(self, workspace: Workspace, job: Job) -> None:
        """Does a job to its end; raises InitializationError when it fails."""

    def supervise(
        self,
        workspace: Workspace,
        command: Sequence[str],
        *,
        disk: DiskSpaceError | None = None,
        release: Callable[[], None] = lambda: None,
        limit: float | None = None,
    ) -> int:
        """Runs a user's command of dbt, and sees to it that no node runs when healing fails.

        Args:
            workspace: Where.
            command: The command, beginning with `dbt`.
            disk: What to raise as soon as something is missing; None if there is space to build it.
            release: Called once healing is done.
            limit: The time limit of healing, in seconds; None for that of the request.

        Returns:
            The command's exit code.

        Raises:
            InitializationError: Healing failed.
        """


def _names(selection: str | Sequence[str]) -> tuple[str, ...]:
    """Returns the names of a selection: a text is one name, or several with spaces between, as for dbt."""
    return tuple(selection.split()) if isinstance(selection, str) else tuple(selection)
