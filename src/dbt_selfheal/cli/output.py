"""What is written: lines on standard error, results on standard output, errors with exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import rich_click as click

from dbt_selfheal.contract import SCHEMA_VERSION

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
    from dbt_selfheal.report.style import has_colors

    click.echo(text, err=True, color=has_colors(sys.stderr))


def say(text: str) -> None:
    """Writes a result for people to standard output."""
    click.echo(text)


def document(
    result: Mapping[str, Any] | None,
    code: int = 0,
    *,
    error: Mapping[str, Any] | None = None,
    command: str | None = None,
) -> None:
    """Writes the one JSON document of a command to standard output; docs/json.md has its keys.

    Args:
        result: The command's own result; None when there is none.
        code: The exit code that follows.
        error: What went wrong: code, message, remedy; None when the command did its work.
        command: The command; None for the one that is running.
    """
    if command is None:
        command = running_command()
    content = {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "success": code == 0,
        "exit_code": code,
        "error": error,
        "result": result,
    }
    click.echo(json.dumps(content, indent=2, default=str))


def running_command() -> str:
    """Returns the command that is running, such as `migrate status`."""
    context = click.get_current_context(silent=True)
    return context.command_path.partition(" ")[2] if context is not None else ""


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
            ensures = running_command() in ("ensure", "exec")
            if self._as_json and ensures and isinstance(error, InitializationError):
                result = json.loads(self._attempt.result(error).model_dump_json())
            fail(error, self._as_json, result)


def fail(error: SelfHealError, as_json: bool, result: dict[str, Any] | None = None) -> NoReturn:
    """Shows an error with its remedy, and exits with its code."""
    line(error_text(str(error), error.remedy, error.code))
    if as_json:
        report = {"code": error.code, "message": str(error), "remedy": error.remedy}
        document(result, error.exit_code, error=report)
    sys.exit(error.exit_code)


def error_text(message: str, remedy: str, code: str | None = None) -> str:
    """Returns an error for people: what happened, what to do, and where to read more.

    Args:
        message: What happened.
        remedy: What to do.
        code: The code of the catalogue; None for none.
    """
    from dbt_selfheal.report.style import bad, wrapped

    lines = [bad("Error:") + wrapped(f"Error: {message}", "  ").removeprefix("Error:")]
    lines.append(wrapped(f"  What to do: {remedy}", "    "))
    if code:
        lines.append(f"  More: dbt-selfheal explain {code}")
    return "\n".join(lines)


def show(found: Recorder, content: dict[str, Any], as_json: bool, code: int = 0) -> None:
    """Shows what an operation printed, or one JSON document; its result is null where the package is off."""
    document(content or None, code) if as_json else say("\n".join(found.lines))


def last(found: Recorder, name: str) -> dict[str, Any]:
    """Returns the last event of a name, empty when there is none: the package is off here."""
    events = found.named(name)
    return plain(events[-1]) if events else {}


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """Returns an event without its name."""
    return {key: value for key, value in event.items() if key != "event"}


def refuse(
    message: str, remedy: str, exit_code: int, *, code: str | None = None, as_json: bool = False
) -> NoReturn:
    """Shows what is wrong, what to do and the code of the catalogue, if it has one, and exits."""
    line(error_text(message, remedy, code))
    if as_json:
        document(None, exit_code, error={"code": code, "message": message, "remedy": remedy})
    sys.exit(exit_code)
