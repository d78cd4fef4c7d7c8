"""The commands `migrate`, `initial-data` and `hash-password`; the work itself is that of the macros."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from dbt_selfheal.recorder import Recorder

Decorator = Callable[[Any], Any]
ACTIONS = ("rerun", "mark-applied", "mark-failed")

limits = (
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=math.inf,
        metavar="SECONDS",
        help="Time limit of the whole. [none]",
    ),
    click.option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long to wait for another initialization; 0: not at all. [lock_timeout_seconds, 60]",
    ),
    click.option(
        "--log-file", type=click.Path(dir_okay=False, path_type=Path), help="Append events as JSON lines."
    ),
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Print the SQL and change nothing.")


def changing(command: Any) -> Any:
    """Adds the options of commands that change the database."""
    for decorate in reversed(limits):
        command = decorate(command)
    return command


@click.group()
def migrate() -> None:
    """Apply, take back and look at the project's migrations.

    \b
    Examples:
      dbt-selfheal migrate status
      dbt-selfheal migrate up --dry-run
    """


def status(as_json: bool, **options: Any) -> None:
    """Show the state of each migration, what is wrong, and what to do.

    The exit code is 0 when all are applied, else 1.

    \b
    Example:
      dbt-selfheal migrate status --json
    """
    found = _run("migration_status", {}, options, as_json, what="asking dbt for the migrations")
    event = found.named("migration_status")[-1]
    _show(found, _plain(event), as_json)
    sys.exit(0 if event["state"] == "up_to_date" else 1)


def up(as_json: bool, to: str | None, dry_run: bool, **options: Any) -> None:
    """Apply the pending migrations, in order, each once.

    \b
    Examples:
      dbt-selfheal migrate up --dry-run
      dbt-selfheal migrate up --to 0007
    """
    _move("run_migrations", "migration_complete", "applied", as_json, to, dry_run, options)


def down(as_json: bool, to: str | None, dry_run: bool, **options: Any) -> None:
    """Roll back the newest migration, or all after a version.

    \b
    Examples:
      dbt-selfheal migrate down
      dbt-selfheal migrate down --to 0007    0007 stays applied; 0: all go
    """
    _move("rollback_migration", "migration_rolled_back", "rolled_back", as_json, to, dry_run, options)


def history(as_json: bool, **options: Any) -> None:
    """Show every attempt: what, when, by whom, with what result.

    \b
    Example:
      dbt-selfheal migrate history
    """
    found = _run("migration_history", {}, options, as_json, what="asking dbt for the migrations")
    _show(found, _last(found, "migration_history"), as_json)


def validate(as_json: bool, **options: Any) -> None:
    """Fail when anything is wrong with the migrations; for CI.

    Pending ones are not wrong.

    \b
    Example:
      dbt-selfheal migrate validate
    """
    found = _run("validate_migrations", {}, options, as_json, what="asking dbt for the migrations")
    _show(found, {"valid": True, **_last(found, "migration_status")}, as_json)


def baseline(version: str, as_json: bool, **options: Any) -> None:
    """Record the migrations up to VERSION as applied, and run none.

    For a database that is older than its migrations.

    \b
    Example:
      dbt-selfheal migrate baseline 0007
    """
    arguments = {"version": version}
    found = _run("baseline_migrations", arguments, options, as_json, what="recording", changes=True)
    _show(found, _last(found, "migrations_baselined"), as_json)


def repair(version: str, action: str, as_json: bool, **options: Any) -> None:
    """Settle a migration that was interrupted, changed or lost.

    rerun: run all of it again; mark-applied: it is in the database, as it is
    in the project now; mark-failed: nothing of it is in the database.
    `dbt-selfheal migrate status` says which of them fits.

    \b
    Example:
      dbt-selfheal migrate repair 0003 rerun
    """
    arguments = {"version": version, "action": action.replace("-", "_")}
    found = _run("repair_migrations", arguments, options, as_json, what="repairing", changes=True)
    _show(found, _last(found, "migration_repaired"), as_json)


def initial_data(as_json: bool, dry_run: bool, **options: Any) -> None:
    """Insert the rows of initial data whose key is absent.

    Rows that exist are never changed. `dbt-selfheal ensure` does it too.

    \b
    Example:
      dbt-selfheal initial-data --dry-run
    """
    arguments = {"dry_run": True} if dry_run else {}
    what = "asking dbt for the initial data" if dry_run else "inserting initial data"
    found = _run("seed_initial_data", arguments, options, as_json, what=what, changes=not dry_run)
    event = "initial_data_plan" if dry_run else "initial_data_loaded"
    _show(found, {"tables": [_plain(table) for table in found.named(event)]}, as_json)


@click.command("hash-password", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@click.pass_context
def hash_password(context: click.Context) -> None:
    """Print the Argon2id hash of a password, for initial data.

    The password is asked for, or read from standard input (its first line).
    It is never an argument: those can be seen by others.

    \b
    Example:
      export ADMIN_PASSWORD_HASH="$(dbt-selfheal hash-password)"
    """
    from dbt_selfheal.passwords import hash_password as make

    if context.args:  # not repeated: it may be the password
        message = "a password is never given as an argument: other users can see the arguments of a command"
        _refuse(message, "Give it at the prompt, or on standard input. If it was a real one, change it.", 2)
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        click.echo(make(password))
    except ValueError as error:
        _refuse(str(error), "Give a password: one line on standard input, or at the prompt.", 2)
    except ImportError as error:
        _refuse(str(error), "pip install 'dbt-selfheal[passwords]'", 7)


def add_to(group: click.Group, options: Decorator) -> None:
    """Adds the commands to a group.

    Args:
        group: The group.
        options: Adds the options that all commands share.
    """
    to = click.option("--to", metavar="VERSION", help="The last version to apply. [all]")
    back = click.option("--to", metavar="VERSION", help="The version to go back to; 0 for all. [one back]")
    version = click.argument("version")
    action = click.argument("action", type=click.Choice(ACTIONS))
    wanted: dict[Callable[..., None], tuple[Decorator, ...]] = {
        status: (options,),
        up: (options, changing, to, dry_run_option),
        down: (options, changing, back, dry_run_option),
        history: (options,),
        validate: (options,),
        baseline: (options, changing, version),
        repair: (options, changing, version, action),
    }
    for function, decorators in wanted.items():
        migrate.command(function.__name__)(_decorated(function, decorators))
    group.add_command(migrate)
    looking = click.option("--dry-run", is_flag=True, help="Say what would be inserted, and insert nothing.")
    group.command("initial-data")(_decorated(initial_data, (options, changing, looking)))
    group.add_command(hash_password)


def _decorated(function: Any, decorators: tuple[Decorator, ...]) -> Any:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def _move(
    operation: str,
    event: str,
    key: str,
    as_json: bool,
    to: str | None,
    dry_run: bool,
    options: dict[str, Any],
) -> None:
    """Applies migrations or takes them back, or prints their SQL."""
    arguments: dict[str, Any] = {} if to is None else {"to": to}
    if dry_run:
        arguments["dry_run"] = True
    what = "asking dbt for the migrations" if dry_run else "migrating"
    found = _run(operation, arguments, options, as_json, what=what, changes=not dry_run)
    if dry_run:
        _show(found, {"migrations": _last(found, "migration_plan").get("migrations", [])}, as_json)
    else:
        _show(found, {key: [_plain(done) for done in found.named(event)]}, as_json)


def _run(
    operation: str,
    arguments: dict[str, Any],
    options: dict[str, Any],
    as_json: bool,
    *,
    what: str,
    changes: bool = False,
) -> Recorder:
    """Runs an operation of the package; on an error shows it and exits with its code."""
    from dbt_selfheal import cli

    options = {"timeout": math.inf, **options}
    initializer = cli._initializer(options, as_json)
    cli._first_line(options, what)
    with cli._Errors(initializer, as_json):
        return initializer.operation(operation, arguments, changes=changes)
    raise AssertionError("unreachable")


def _show(found: Recorder, document: dict[str, Any], as_json: bool) -> None:
    """Shows what the operation printed, or one JSON document."""
    import json

    click.echo(json.dumps(document, indent=2, default=str) if as_json else "\n".join(found.lines))


def _last(found: Recorder, name: str) -> dict[str, Any]:
    """Returns the last event of a name, empty when there is none: the package is off here."""
    events = found.named(name)
    return _plain(events[-1]) if events else {}


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != "event"}


def _refuse(message: str, remedy: str, code: int) -> NoReturn:
    click.echo(f"Error: {message}\n  What to do: {remedy}", err=True)
    sys.exit(code)
