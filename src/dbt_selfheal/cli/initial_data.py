"""The commands `initial-data` and `hash-password`; the rows are inserted by the macros."""

from __future__ import annotations

import sys
from typing import Any

import rich_click as click

from dbt_selfheal.cli.options import changing, dbt_options, run_operation
from dbt_selfheal.cli.output import plain, refuse, show
from dbt_selfheal.terminal.help import ACTION, Command, option


@click.command("initial-data", cls=Command)
@dbt_options
@changing
@option("--dry-run", is_flag=True, group=ACTION, help="Say what would be inserted, and insert nothing.")
def initial_data(as_json: bool, dry_run: bool, **options: Any) -> None:
    """Insert the rows of initial data whose key is absent.

    Rows that exist are never changed. `dbt-selfheal ensure` does it too.

    \b
    Example:
      dbt-selfheal initial-data --dry-run
    """
    arguments = {"dry_run": True} if dry_run else {}
    what = "asking dbt for the initial data" if dry_run else "inserting initial data"
    found = run_operation("seed_initial_data", arguments, options, as_json, what=what, changes=not dry_run)
    event = "initial_data_plan" if dry_run else "initial_data_loaded"
    show(found, {"tables": [plain(table) for table in found.named(event)]}, as_json)


@click.command(
    "hash-password",
    cls=Command,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
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
        refuse(message, "Give it at the prompt, or on standard input. If it was a real one, change it.", 2)
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        click.echo(make(password))
    except ValueError as error:
        refuse(str(error), "Give a password: one line on standard input, or at the prompt.", 2)
    except ImportError as error:
        remedy = "Install it: pip install 'dbt-selfheal[passwords]'"
        refuse(str(error), remedy, 7, code="selfheal-extra-missing")
