"""What is written: lines on standard error, results on standard output, errors with exit codes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from dbt_selfheal.engine.attempt import Attempt
    from dbt_selfheal.errors import SelfHealError
    from dbt_selfheal.report.recorder import Recorder


def first_line(options: dict[str, Any], what: str) -> None:
    """Says that work has begun, before anything that takes time: people wait for two seconds at most."""
    if not options["quiet"]:
        text = f"dbt-selfheal: {what}"
        line(text if len(text) <= 79 else text[:76] + "...")


def line(text: str) -> None:
    """Writes a line to standard error, at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say(text: str) -> None:
    """Writes a result for people to standard output."""
    click.echo(text)


def document(content: dict[str, Any]) -> None:
    """Writes the one JSON document of a command to standard output."""
    click.echo(json.dumps(content, indent=2, default=str))


class Errors:
    """Turns the errors of an attempt into text and exit codes."""

    def __init__(self, attempt: Attempt, as_json: bool) -> None:
        self._attempt = attempt
        self._as_json = as_json

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        from dbt_selfheal.errors import InitializationError, SelfHealError

        if isinstance(error, SelfHealError):
            result = None
            if self._as_json and isinstance(error, InitializationError):
                result = json.loads(self._attempt.result(error).model_dump_json())
            fail(error, self._as_json, result)


def fail(error: SelfHealError, as_json: bool, result: dict[str, Any] | None = None) -> NoReturn:
    """Shows an error with its remedy, and exits with its code."""
    line(f"Error: {error}")
    remedy = getattr(error, "remedy", None)
    if remedy:
        line(f"  What to do: {remedy}")
    if as_json:
        content = result or {"state": "failed", "success": False, "error": str(error)}
        extra = {"code": getattr(error, "code", None), "remedy": remedy, "exit_code": error.exit_code}
        document({**content, **extra})
    sys.exit(error.exit_code)


def show(found: Recorder, content: dict[str, Any], as_json: bool) -> None:
    """Shows what an operation printed, or one JSON document."""
    document(content) if as_json else say("\n".join(found.lines))


def last(found: Recorder, name: str) -> dict[str, Any]:
    """Returns the last event of a name, empty when there is none: the package is off here."""
    events = found.named(name)
    return plain(events[-1]) if events else {}


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """Returns an event without its name."""
    return {key: value for key, value in event.items() if key != "event"}


def refuse(message: str, remedy: str, code: int) -> NoReturn:
    """Shows what is wrong and what to do, and exits with a code."""
    line(f"Error: {message}\n  What to do: {remedy}")
    sys.exit(code)
