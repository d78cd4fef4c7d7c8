"""The commands `ensure`, `plan`, `status` and `recreate`."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from dbt_selfheal.cli.options import (
    EXIT_CODES,
    attempt_of,
    dbt_options,
    options_for_dbt,
    run_options,
    select_option,
)
from dbt_selfheal.cli.output import Errors, document, fail, first_line, plain, say
from dbt_selfheal.terminal import plan as terminal
from dbt_selfheal.terminal.help import ACTION, OUTPUT, Command, option

if TYPE_CHECKING:
    from dbt_selfheal.engine.attempt import Attempt
    from dbt_selfheal.engine.interface import Outcome


CHECK_CODES = """
Exit codes: 0, with --check 1 when something is missing; else as of ensure.
"""


@click.command(cls=Command, epilog=EXIT_CODES)
@dbt_options
@run_options
@select_option
@option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    group=ACTION,
    default_is="by the plan's size",
    help="Build with dbt's own nodes on N threads.",
)
@option("-i", "--interactive", is_flag=True, group=ACTION, help="Show the plan and ask before building.")
@option("--dbt-output", is_flag=True, group=OUTPUT, help="Show dbt's own output too.")
def ensure(threads: int | None, interactive: bool, dbt_output: bool, as_json: bool, **options: Any) -> None:
    """Make sure that every required relation exists.

    \b
    Examples:
      dbt-selfheal ensure --timeout 300 --threads 4
      dbt-selfheal ensure --interactive
    """
    if interactive and as_json:
        raise click.UsageError("choose one of --interactive and --json")
    if interactive and not _agreed(options, threads):
        say("Nothing was built.")
        sys.exit(1)
    attempt = attempt_of(options, as_json, threads=threads, dbt_output=dbt_output)
    first_line(options, "checking the workspace")
    with Errors(attempt, as_json):
        outcome = attempt.ensure()
    code = 0 if outcome.state == "completed" or outcome.way == "off" else 1
    if as_json:
        document(json.loads(attempt.result().model_dump_json()), code)
    else:
        say(outcome_text(outcome))
    sys.exit(code)


@click.command(cls=Command, epilog=CHECK_CODES)
@dbt_options
@select_option
@option("--check", is_flag=True, group=OUTPUT, help="Exit with 1 when something is missing; for CI.")
@option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "github"]),
    metavar="FORMAT",
    default="text",
    group=OUTPUT,
    help="text, json (as --json), markdown, or github: annotations.",
)
def plan(as_json: bool, check: bool, form: str, **options: Any) -> None:
    """Show what is missing and what would be built, and build nothing.

    \b
    Examples:
      dbt-selfheal plan --select tag:foundation
      dbt-selfheal plan --check --format github
    """
    as_json = as_json or form == "json"
    attempt = attempt_of(options, as_json)
    first_line(options, "asking dbt for the plan")
    with Errors(attempt, as_json):
        found = attempt.plan()
    code = int(check and bool(found["steps"]))
    if as_json:
        document(plain(found), code)
    elif form == "github":
        say(terminal.github(found, *_place(attempt)))
    elif form == "markdown":
        say(terminal.markdown(found, ensure_command(attempt)))
    else:
        terminal.print_plan(found, ensure_command(attempt))
    sys.exit(code)


@click.command(cls=Command)
@dbt_options
@select_option
def status(as_json: bool, **options: Any) -> None:
    """Show which required relations exist.

    The exit code is 0 when all exist, else 1.

    \b
    Example:
      dbt-selfheal status --json
    """
    attempt = attempt_of(options, as_json)
    first_line(options, "asking dbt for the status")
    with Errors(attempt, as_json):
        found = attempt.status()
    code = 0 if found.get("state") == "completed" else 1
    document(plain(found), code) if as_json else say(status_text(found))
    sys.exit(code)


@click.command(cls=Command)
@dbt_options
@option("-y", "--yes", is_flag=True, group=ACTION, help="Do not ask.")
def recreate(as_json: bool, yes: bool, **options: Any) -> None:
    """Move the database file aside, so that a new one can be made.

    Nothing is deleted: the file and its write-ahead log are renamed with a
    time stamp. Then run: dbt-selfheal ensure

    \b
    Example:
      dbt-selfheal recreate --yes
    """
    from dbt_selfheal.errors import ConfigurationError, SelfHealError
    from dbt_selfheal.workspace.files import wait_for_file
    from dbt_selfheal.workspace.lock import hold, lock_file
    from dbt_selfheal.workspace.project import read_workspace, shown_path
    from dbt_selfheal.workspace.recreate import move_aside

    try:
        workspace = read_workspace(options_for_dbt(options))
        file = workspace.database_file
        if file is None:
            raise ConfigurationError(
                f"recreate is for database files; this target is {workspace.adapter} ({workspace.place})",
                remedy="Drop or rename its schema with the means of that database.",
            )
        if not file.exists():
            document({"moved": []}) if as_json else say(
                f"There is no file {shown_path(file)}; nothing to move."
            )
            return
        if not yes and not click.confirm(f"Move {shown_path(file)} aside?", err=True):
            if as_json:
                document({"moved": []}, 1)
            sys.exit(1)
        with hold(lock_file(workspace), 0):
            wait_for_file(file, 0, lambda _: None)
            moved = move_aside(file)
    except SelfHealError as error:
        fail(error, as_json)
    if as_json:
        document({"moved": [str(path) for path in moved]})
    else:
        say("\n".join([*(f"Moved to {shown_path(path)}" for path in moved), "Now run: dbt-selfheal ensure"]))


def _agreed(options: dict[str, Any], threads: int | None) -> bool:
    """Shows the plan and asks; returns whether to go on, which nobody is asked when nothing is missing."""
    attempt = attempt_of(options, as_json=False, threads=threads)
    first_line(options, "asking dbt for the plan")
    with Errors(attempt, as_json=False):
        found = attempt.plan()
    if not found["steps"]:
        return True
    terminal.print_plan(found, ensure_command(attempt))
    return click.confirm("Build them?", err=True)


def ensure_command(attempt: Attempt) -> str:
    """Returns the command that builds what a plan shows."""
    return shlex.join(["dbt-selfheal", "ensure", *attempt.request.selection()])


def _place(attempt: Attempt) -> tuple[str, Path]:
    """Returns the name of the project, and its folder relative to the working directory."""
    workspace = attempt.preparation.read()
    folder = Path(os.path.relpath(workspace.project_dir))
    return str(workspace.project.get("name")), folder


def outcome_text(outcome: Outcome) -> str:
    """Returns an outcome for people."""
    if outcome.way == "off":
        return "Self-healing is off, by setting or in this target; nothing was checked."
    if outcome.state != "completed":
        from dbt_selfheal.engine.interface import missing_text

        return f"Not ready: {missing_text(outcome.missing)}"
    how = {"warm": "unchanged since the last run", "none": "nothing was missing"}.get(outcome.way)
    built = how or f"{len(outcome.created)} built, {outcome.present} were there before and untouched"
    return f"Ready in {outcome.seconds:.1f} s: {built}"


def status_text(status: dict[str, Any]) -> str:
    """Returns a status for people."""
    required = status.get("required", [])
    if status["state"] == "in_progress" and not required:
        holder = status.get("lock_holder") or "not known by whom"
        return f"State: in_progress (an initialization is running: {holder})"
    there = sum(1 for entry in required if entry["exists"])
    lines = [f"State: {status['state']} ({there} of {len(required)} required relations exist)"]
    lines += [
        f"  {'ok' if item['exists'] else 'MISSING':<7}  {item['resource_type']:<8}  {item['display_name']}"
        for item in required
    ]
    if status.get("lock_holder"):
        lines.append(f"Initializing now: {status['lock_holder']}")
    pending = status.get("pending_migrations") or []
    if pending:
        lines.append(f"Pending migrations: {', '.join(pending)}")
    last = status.get("last_attempt")
    if last:
        from dbt_selfheal.report.attempts import in_a_line

        error = f": {in_a_line(str(last['error']))}" if last.get("error") else ""
        took = f"{last['state']} in {last['duration_seconds']} s"
        lines.append(f"Last attempt: {took} at {last['started_at']}{error}")
    return "\n".join(lines)
