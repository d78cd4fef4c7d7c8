"""The command `exec`: a command in a workspace that is ready."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import rich_click as click

from dbt_selfheal.cli.healing import outcome_text
from dbt_selfheal.cli.options import (
    EXIT_CODES,
    attempt_of,
    dbt_options,
    given_here,
    options_for_dbt,
    run_options,
    select_option,
)
from dbt_selfheal.cli.output import Errors, document, first_line, line, refuse
from dbt_selfheal.terminal.help import Command

if TYPE_CHECKING:
    from dbt_selfheal.engine.attempt import Attempt
    from dbt_selfheal.workspace.dbt import Options


@click.command("exec", cls=Command, context_settings={"allow_interspersed_args": False}, epilog=EXIT_CODES)
@dbt_options
@run_options
@select_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(command: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Run a command in a workspace that is ready.

    A dbt command is supervised: it heals in its own hook, within the time
    limit, and its nodes only run when that succeeded. Before dbt show, compile
    and docs generate, which run no hook, what they read is made ready; before
    any other command, the workspace. Then its exit code is passed on.

    \b
    Examples:
      dbt-selfheal exec -- dbt run --select orders
      dbt-selfheal exec -- dbt show --select orders
      dbt-selfheal exec --timeout 300 -- python simulate.py
    """
    from dbt_selfheal.report.scrub import Scrubber
    from dbt_selfheal.report.style import flag_in
    from dbt_selfheal.workspace.dbt import heals, options_of, reads_of
    from dbt_selfheal.workspace.project import switched_off

    is_dbt = Path(command[0]).name == "dbt"
    given = options_for_dbt(options)
    if is_dbt:
        for name in ("select", "exclude", "selector"):
            if given_here(name):
                raise click.UsageError(f"--{name} belongs to dbt here: put it after the command of dbt.")
        command = (*_found(command), *_added(command, given))
    context = click.get_current_context(silent=True)
    if is_dbt and context is not None and (flag := flag_in(command)) is not None:
        context.color = flag
    reads = reads_of(list(command[1:])) if is_dbt else None
    if switched_off() or (is_dbt and reads is None and not heals(list(command[1:]))):
        _replace(command, as_json)
    first_line(options, Scrubber()(f"checking the workspace for: {_joined(command)}"))
    if is_dbt:
        given = options_of(list(command[1:]), given)
        options = {**options, "select": (), "exclude": (), "selector": None}  # as the environment has them
    if is_dbt and reads is None:
        attempt = attempt_of(options, as_json, dbt=given, plain=True)
        _supervise(attempt, list(command), as_json)
    _ensure_first(attempt_of(options, as_json, dbt=given, reads=reads), as_json, bool(options["quiet"]))
    _replace(command)


def _ensure_first(attempt: Attempt, as_json: bool, quiet: bool) -> None:
    """Makes ready what a command needs; exits if that fails."""
    with Errors(attempt, as_json):
        outcome = attempt.ensure()
    code = 0 if outcome.state == "completed" or outcome.way == "off" else 1
    if as_json:
        document(json.loads(attempt.result().model_dump_json()), code)
    elif not quiet:
        line(outcome_text(outcome))
    if code:
        sys.exit(code)


def _supervise(attempt: Attempt, command: list[str], as_json: bool) -> NoReturn:
    """Supervises a dbt command, and exits with its code."""
    with Errors(attempt, as_json), _runnable(command, as_json), _aside(as_json):
        code = attempt.supervise(command)
    if as_json:
        document(json.loads(attempt.result().model_dump_json()), code)
    sys.exit(code)


def _replace(command: tuple[str, ...], as_json: bool = False) -> NoReturn:
    """Replaces this process by a command: its output, exit code and signals are its own.

    Args:
        command: The command.
        as_json: Whether a document follows when it has ended, so that it is run beside this process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with _runnable(command, as_json):
        if not as_json:
            os.execvp(command[0], command)  # noqa: S606
        import subprocess

        with _aside(as_json):
            code = subprocess.run(command, check=False).returncode
    code = code if code >= 0 else 128 - code
    document(None, code)
    sys.exit(code)


@contextmanager
def _runnable(command: Sequence[str], as_json: bool) -> Iterator[None]:
    """Ends this command as a shell does when a command cannot be run."""
    try:
        yield
    except FileNotFoundError:
        message, remedy = f"there is no command {command[0]!r}", "Install it, or put it on the PATH."
        refuse(message, remedy, 127, code="selfheal-command-missing", as_json=as_json)
    except PermissionError:
        message, remedy = f"{command[0]} cannot be executed", "Give this user the right to execute it."
        refuse(message, remedy, 126, code="selfheal-command-not-executable", as_json=as_json)


@contextmanager
def _aside(wanted: bool) -> Iterator[None]:
    """Sends what a command prints to standard error: the document stands alone on standard output."""
    if not wanted:
        yield
        return
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _joined(command: tuple[str, ...]) -> str:
    """Returns a command as it is typed."""
    import shlex

    return shlex.join(command)


def _found(command: tuple[str, ...]) -> tuple[str, ...]:
    """Returns a dbt command, with the dbt beside this command when there is none on the PATH."""
    import shutil

    beside = Path(sys.executable).with_name("dbt")
    missing = command[0] == "dbt" and shutil.which("dbt") is None and beside.exists()
    return (str(beside), *command[1:]) if missing else command


def _added(command: tuple[str, ...], given: Options) -> list[str]:
    """Returns the options given to the wrapper that a dbt command, if it is one, does not have itself."""
    from dbt_selfheal.workspace.dbt import subcommand

    if subcommand(list(command[1:])) is None:
        return []
    arguments = given.arguments()
    pairs = zip(arguments[::2], arguments[1::2], strict=True)
    short = {"--target": "-t"}
    return [
        text
        for name, value in pairs
        if not any(word in (name, short.get(name)) or word.startswith(f"{name}=") for word in command)
        for text in (name, value)
    ]
