"""Options that several commands have, and the attempt that they ask for."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbt_selfheal.cli.output import Errors, first_line

if TYPE_CHECKING:
    from dbt_selfheal.engine.attempt import Attempt
    from dbt_selfheal.report.recorder import Recorder
    from dbt_selfheal.workspace.dbt import Options

Command = Callable[..., Any]
EXIT_CODES = """
\b
Exit codes: 0 ready, 1 failed, 2 wrong usage, 3 time limit, 4 another
initialization is running, 5 database file damaged, 6 no disk space,
7 project, profile, package or seed file missing or wrong.
"""


def dbt_options(command: Command) -> Command:
    """Adds dbt's own options and those that all commands share."""
    path = click.Path(file_okay=False)
    for decorate in reversed(
        [
            click.option("--project-dir", type=path, help="Folder of dbt_project.yml. [dbt's default]"),
            click.option("--profiles-dir", type=path, help="Folder of profiles.yml. [dbt's default]"),
            click.option("--profile", help="Profile to use."),
            click.option("-t", "--target", help="Target to use."),
            click.option("--vars", "vars_", metavar="YAML", help="Variables, as for dbt."),
            click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output."),
            click.option("-q", "--quiet", is_flag=True, help="No progress, only results and errors."),
        ]
    ):
        command = decorate(command)
    return command


def run_options(command: Command) -> Command:
    """Adds the options of commands that initialize."""
    seconds = click.FloatRange(min=0)
    for decorate in reversed(
        [
            click.option(
                "--timeout",
                type=click.FloatRange(min=0, min_open=True),
                metavar="SECONDS",
                help="Time limit of the initialization. [vars.dbt_selfheal.timeout_seconds, 60]",
            ),
            click.option(
                "--lock-timeout",
                type=seconds,
                metavar="SECONDS",
                help="How long to wait for another initialization; 0: not at all. [lock_timeout_seconds, 60]",
            ),
            click.option(
                "--min-free-mb",
                type=seconds,
                metavar="MB",
                envvar="DBT_SELFHEAL_MIN_FREE_MB",
                help="Least free disk space. [100, or twice the seed files]",
            ),
            click.option(
                "--log-file",
                type=click.Path(dir_okay=False, path_type=Path),
                help="Append events as JSON lines.",
            ),
            click.option("--force", is_flag=True, help="Do not wait after repeated failures."),
        ]
    ):
        command = decorate(command)
    return command


select_option = click.option(
    "-s", "--select", multiple=True, metavar="NAME", help="Require this node name, tag:x or path:x instead."
)


def changing(command: Command) -> Command:
    """Adds the options of commands that change the database and build nothing."""
    for decorate in reversed(
        [
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
                "--log-file",
                type=click.Path(dir_okay=False, path_type=Path),
                help="Append events as JSON lines.",
            ),
        ]
    ):
        command = decorate(command)
    return command


def attempt_of(
    options: dict[str, Any],
    as_json: bool,
    *,
    dbt: Options | None = None,
    threads: int | None = None,
    dbt_output: bool = False,
    plain: bool = False,
) -> Attempt:
    """Returns an attempt with the options of the command line."""
    from dbt_selfheal.engine.attempt import Attempt
    from dbt_selfheal.engine.interface import Request
    from dbt_selfheal.report.progress import Notes, view

    request = Request(
        options=dbt or options_for_dbt(options),
        select=tuple(options.get("select") or ()),
        threads=threads,
        timeout=options.get("timeout"),
        lock_timeout=options.get("lock_timeout"),
        min_free_mb=options.get("min_free_mb"),
        log_file=options.get("log_file"),
        dbt_output=dbt_output and not as_json,
        force=bool(options.get("force")),
    )
    quiet = bool(options["quiet"])
    return Attempt(request, Notes() if plain and not quiet else view(quiet=quiet))


def options_for_dbt(options: dict[str, Any]) -> Options:
    """Returns dbt's options among those of the command line."""
    from dbt_selfheal.workspace.dbt import Options

    return Options(
        project_dir=options.get("project_dir"),
        profiles_dir=options.get("profiles_dir"),
        profile=options.get("profile"),
        target=options.get("target"),
        vars=options.get("vars_"),
    )


def run_operation(
    name: str,
    arguments: dict[str, Any],
    options: dict[str, Any],
    as_json: bool,
    *,
    what: str,
    changes: bool = False,
) -> Recorder:
    """Runs an operation; on an error shows it and exits with its code.

    Args:
        name: The macro.
        arguments: Its arguments.
        options: Those of the command line.
        as_json: Whether the result will be a JSON document.
        what: What the first line says.
        changes: Whether it changes the database.
    """
    attempt = attempt_of(options, as_json)
    first_line(options, what)
    with Errors(attempt, as_json):
        return attempt.operation(name, arguments, changes=changes)
    raise AssertionError("unreachable")
