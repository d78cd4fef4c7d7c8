"""The errors, and the exit codes that the command line gives for them (stable).

SelfHealError                           1
+-- HookError                           1  a pre-simulation hook failed
+-- InitializationError                 1
    +-- AnotherProcessError             1  a process that is no initialization keeps the database file open
    +-- InitializationTimeoutError      3
    +-- ConcurrentInitializationError   4
    +-- DatabaseCorruptionError         5
    +-- DiskSpaceError                  6
    +-- ConfigurationError              7  profile, project, package or seed file missing or wrong
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pydantic import BaseModel


class SelfHealError(Exception):
    """Base of all errors of dbt-selfheal; each has a code of the catalogue and says what to do about it."""

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "selfheal-unknown"
    default_remedy: ClassVar[str] = "Correct what the message names, then run the same command again."
    code: str = default_code
    remedy: str = default_remedy


class HookError(SelfHealError):
    """A pre-simulation hook failed.

    Args:
        name: The hook's name.
        original_error: What it raised; its remedy, if it has one, is that of this error.
    """

    default_code = "selfheal-hook-failed"

    def __init__(self, name: str, original_error: Exception) -> None:
        super().__init__(f"the hook {name!r} failed: {original_error}")
        self.name = name
        self.original_error = original_error
        self.code = self.default_code
        self.remedy = getattr(original_error, "remedy", None) or self.default_remedy


class InitializationError(SelfHealError):
    """Initialization failed; what to do about it is part of the error.

    Args:
        message: What happened, for people.
        step: The step that failed, such as `load_seeds`.
        missing_tables: The tables that could not be created.
        original_error: The underlying error.
        remedy: What to do about it; None for what holds for all errors of this class.
        code: The code of the catalogue `remedies.csv`; None for that of this class.
    """

    def __init__(
        self,
        message: str,
        *,
        step: str | None = None,
        missing_tables: list[str] | None = None,
        original_error: Exception | None = None,
        remedy: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.step = step
        self.missing_tables = missing_tables or []
        self.original_error = original_error
        self.remedy = remedy or self.default_remedy
        self.code = code or self.default_code
        self.result: BaseModel | None = None  # what was done until then, if dbt_selfheal.database raised it


class AnotherProcessError(InitializationError):
    """A process that is no initialization keeps the database file open."""

    default_code = "selfheal-file-locked"
    default_remedy = "Let the other process close the database file, then run the same command again."


class InitializationTimeoutError(InitializationError):
    """Initialization took longer than its limit and was ended.

    Args:
        timeout_seconds: The limit.
        elapsed_seconds: The time it took until it was ended.
        step: The step that was running.
        nodes: The nodes that were being built, such as `model orders (models/orders.sql)`.
    """

    exit_code = 3
    default_code = "selfheal-timeout"
    default_remedy = (
        "Run the same command again: what was built stays, what was half built is gone. "
        "Or raise the limit: --timeout, or vars.dbt_selfheal.timeout_seconds in dbt_project.yml."
    )

    def __init__(
        self,
        timeout_seconds: float,
        elapsed_seconds: float,
        *,
        step: str | None = None,
        nodes: Sequence[str] = (),
    ) -> None:
        more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
        during = f" while it was building {', '.join(nodes[:3])}{more}" if nodes else ""
        during = during or (f" in the step {step}" if step else "")
        super().__init__(
            f"initialization was stopped after {elapsed_seconds:.1f} s{during}; "
            f"the limit is {timeout_seconds:g} s",
            step=step,
        )
        self.timeout_seconds = timeout_seconds
        self.elapsed_seconds = elapsed_seconds
        self.nodes = list(nodes)


class ConcurrentInitializationError(InitializationError):
    """Another initialization is running: there is never more than one at a time.

    Args:
        lock_file: The lock file that it holds.
        holder: Who holds it, such as `process 4711 on host, since 10:00:00`.
        gave_up: How long it was waited for, such as `gave up after 60 s in which it showed no sign of life`;
            None if it was not.
    """

    exit_code = 4
    default_code = "selfheal-concurrent"
    default_remedy = "Wait for it and run the command again, or wait longer with --lock-timeout SECONDS."

    def __init__(self, lock_file: Path, *, holder: str | None = None, gave_up: str | None = None) -> None:
        who = holder or "its process is not known"
        super().__init__(f"another initialization is running: {who}{f'; {gave_up}' if gave_up else ''}")
        self.lock_file = lock_file
        self.holder = holder


class DatabaseCorruptionError(InitializationError):
    """The database file is damaged or is no database.

    Args:
        db_path: The file.
        original_error: The database's own error, with the details.
        details: What is wrong, when there is no such error.
    """

    exit_code = 5
    default_code = "selfheal-corrupt-file"
    default_remedy = "Restore it from a backup, or move it aside and begin anew: dbt-selfheal recreate"

    def __init__(
        self, db_path: Path, *, original_error: Exception | None = None, details: str | None = None
    ) -> None:
        reason = details or (str(original_error).strip() if original_error else "it cannot be read")
        super().__init__(
            f"the database file {db_path} is damaged: {reason}",
            original_error=original_error,
        )
        self.db_path = db_path


class DiskSpaceError(InitializationError):
    """There is not enough free disk space."""

    exit_code = 6
    default_code = "selfheal-disk-full"
    default_remedy = "Free some space, then run the same command again."


class ConfigurationError(InitializationError):
    """The project, its profile, the package or a seed file is missing or wrong."""

    exit_code = 7
    default_code = "selfheal-configuration-wrong"
