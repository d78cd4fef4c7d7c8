"""What the components have in common: the project, and how its macros are called."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from dbt_selfheal.database.errors import specific
from dbt_selfheal.database.results import Severity, ValidationResult
from dbt_selfheal.engine.attempt import Attempt
from dbt_selfheal.engine.initialize import issue_text
from dbt_selfheal.engine.interface import Request
from dbt_selfheal.errors import InitializationError
from dbt_selfheal.report.listeners import Listener
from dbt_selfheal.report.recorder import Recorder
from dbt_selfheal.workspace.dbt import Options

Part = TypeVar("Part", bound="Component")
Kind = TypeVar("Kind", bound=Attempt)


class Component:
    """A part of an application's database; the work is done by the macros of dbt_selfheal_database.

    Args:
        project_dir: Folder of dbt_project.yml.
        profiles_dir: Folder of profiles.yml; None for dbt's default.
        profile: Name of the profile; None for the project's.
        target: Name of the target; None for the profile's.
        vars: Variables, as of dbt's `--vars`.
        select: What is required, in dbt's words, when it is not what the project declares.
        exclude: What is not, in dbt's words.
        selector: The name of a selector in selectors.yml, in place of both.
        timeout_seconds: Time limit of a call, in seconds; None for the setting timeout_seconds (60 unless the
            project says otherwise) of what builds nodes, and for no limit of everything else.
        lock_timeout_seconds: How long to wait for another initialization, in seconds; 0 fails at once;
            None for the setting lock_timeout_seconds.
        log_file: File that events are appended to as JSON lines.
        on_event: Called with each event, a dict as in the log file. The logger `dbt_selfheal` has them too.
        on_failure: Called with the last event of a call that failed, with `error`, `code` and `remedy`.
        verbose: Show progress on standard error.

    Raises:
        ValueError: A number of seconds is out of range.
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
        timeout_seconds: float | None = None,
        lock_timeout_seconds: float | None = None,
        log_file: str | Path | None = None,
        on_event: Listener | None = None,
        on_failure: Listener | None = None,
        verbose: bool = False,
    ) -> None:
        self._arguments: dict[str, Any] = {
            "project_dir": project_dir,
            "profiles_dir": profiles_dir,
            "profile": profile,
            "target": target,
            "vars": vars,
            "select": select,
            "exclude": exclude,
            "selector": selector,
            "timeout_seconds": timeout_seconds,
            "lock_timeout_seconds": lock_timeout_seconds,
            "log_file": log_file,
            "on_event": on_event,
            "on_failure": on_failure,
            "verbose": verbose,
        }
        self._verbose = verbose
        self._request = Request.given(
            Options.given(project_dir, profiles_dir, profile, target, vars),
            select=select,
            exclude=exclude,
            selector=selector,
            timeout_seconds=timeout_seconds,
            lock_timeout_seconds=lock_timeout_seconds,
            log_file=log_file,
            on_event=on_event,
            on_failure=on_failure,
        )

    def _attempt(self, *, builds: bool = False) -> Attempt:
        """Returns an attempt, which is made for one call; builds: whether the limit of building holds."""
        return self._attempt_of(Attempt, builds=builds)

    def _attempt_of(self, kind: type[Kind], *, builds: bool = False) -> Kind:
        """Returns an attempt of a kind."""
        from dbt_selfheal.report.progress import view

        request = self._request
        if not builds and request.timeout is None:
            request = replace(request, timeout=math.inf)
        return kind(request, view(quiet=not self._verbose))

    def _operation(
        self, name: str, arguments: Mapping[str, Any] | None = None, *, changes: bool = False
    ) -> Recorder:
        """Runs a macro; returns what it reported, raises its error by its class."""
        attempt = self._attempt()
        with raising(attempt):
            return attempt.operation(name, arguments, changes=changes)
        raise AssertionError("unreachable")

    def _component(self, kind: type[Part]) -> Part:
        """Returns another component of the same database."""
        return kind(**self._arguments)

    def _selected(self) -> dict[str, Any]:
        """Returns the argument `select` of macros: dbt's answer to the selection is put in where dbt runs."""
        return {"select": []} if self._request.selection() else {}


@contextmanager
def raising(attempt: Attempt) -> Iterator[None]:
    """Raises errors of an attempt by their classes."""
    try:
        yield
    except InitializationError as error:
        found = specific(error, attempt)
        if found is error:
            raise
        raise found from error.original_error


def plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an event without its name."""
    return {key: value for key, value in event.items() if key != "event"}


def validation_of(report: Mapping[str, Any]) -> ValidationResult:
    """Returns a report of the macro validate_schema as a result."""
    issues = report["issues"]
    severity: Severity = report["severity"] or "info"
    return ValidationResult(
        valid=report["valid"],
        issues=[f"{issue['severity']}: {issue_text(issue)}" for issue in issues],
        suggestions=list(dict.fromkeys(issue["suggestion"] for issue in issues)),
        severity=severity,
    )
