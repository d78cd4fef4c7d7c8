"""Options that several commands have, and the attempt that they ask for."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from dbt_selfheal.cli.output import Errors, first_line
from dbt_selfheal.terminal.completion import (
    complete_profile,
    complete_selection,
    complete_selector,
    complete_target,
)
from dbt_selfheal.terminal.help import LIMITS, OUTPUT, SELECTION, WORKSPACE, option

if TYPE_CHECKING:
    from dbt_selfheal.engine.attempt import Attempt
    from dbt_selfheal.report.listeners import Listener
    from dbt_selfheal.report.recorder import Recorder
    from dbt_selfheal.workspace.dbt import Options

Command = Callable[..., Any]
EXIT_CODES = """
Exit codes: 0 ready, 1 failed, 2 wrong usage, 3 time limit, 4 another
initialization is running, 5 database file damaged, 6 no disk space,
7 project, profile, package or seed file missing or wrong.
"""


def _alert(_: click.Context, __: click.Parameter, command: str | None) -> Listener | None:
    """Returns what runs the command of --on-failure."""
    from dbt_selfheal.report.listeners import alert_command

    try:
        return alert_command(command) if command is not None else None
    except ValueError as error:
        raise click.BadParameter(f"{command!r} is no command: {error}") from None


on_failure_option = option(
    "--on-failure",
    metavar="COMMAND",
    callback=_alert,
    group=OUTPUT,
    help="On a failure, run this with the event as JSON on its standard input.",
)


def dbt_options(command: Command) -> Command:
    """Adds dbt's own options and those that all commands share."""
    folder: dict[str, Any] = {"type": click.Path(file_okay=False), "metavar": "FOLDER", "default_is": "dbt's"}
    for decorate in reversed(
        [
            option("--project-dir", group=WORKSPACE, help="Folder of dbt_project.yml.", **folder),
            option("--profiles-dir", group=WORKSPACE, help="Folder of profiles.yml.", **folder),
            option(
                "--profile",
                metavar="NAME",
                group=WORKSPACE,
                default_is="the project's",
                shell_complete=complete_profile,
                help="Profile to use.",
            ),
            option(
                "-t",
                "--target",
                metavar="NAME",
                group=WORKSPACE,
                default_is="the profile's",
                shell_complete=complete_target,
                help="Target to use.",
            ),
            option("--vars", "vars_", metavar="YAML", group=WORKSPACE, help="Variables, as for dbt."),
            option("--json", "as_json", is_flag=True, group=OUTPUT, help="Print one JSON document."),
            option("-q", "--quiet", is_flag=True, group=OUTPUT, help="No progress, only results and errors."),
            option(
                "--use-colors/--no-use-colors",
                default=None,
                expose_value=False,
                callback=_colors,
                group=OUTPUT,
                default_is="by DBT_USE_COLORS, NO_COLOR, FORCE_COLOR, the terminal",
                help="Colours.",
            ),
        ]
    ):
        command = decorate(command)
    return command


def _colors(context: click.Context, _: click.Parameter, flag: bool | None) -> None:
    """Keeps whether there are colours where click and `has_colors` look for it."""
    from dbt_selfheal.report.style import wanted_colors

    context.color = wanted_colors(flag)


timeout_option = option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    group=LIMITS,
    default_is="the setting timeout_seconds, 60",
    help="Time limit of the initialization.",
)
lock_timeout_option = option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    group=LIMITS,
    default_is="the setting lock_timeout_seconds, 60",
    help="How long to wait for another initialization; 0: not at all.",
)
log_file_option = option(
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    group=OUTPUT,
    help="Append events as JSON lines.",
)
min_free_option = option(
    "--min-free-mb",
    type=click.FloatRange(min=0),
    metavar="MB",
    group=LIMITS,
    default_is="100, or twice the seed files",
    help="Least free disk space.",
)


def run_options(command: Command) -> Command:
    """Adds the options of commands that initialize."""
    force = option("--force", is_flag=True, group=LIMITS, help="Do not wait after repeated failures.")
    for decorate in reversed(
        [timeout_option, lock_timeout_option, min_free_option, log_file_option, on_failure_option, force]
    ):
        command = decorate(command)
    return command


def select_option(command: Command) -> Command:
    """Adds the options that select what is required, in dbt's own words."""
    for decorate in reversed(
        [
            option(
                "-s",
                "--select",
                multiple=True,
                metavar="NODES",
                group=SELECTION,
                default_is="what the project declares",
                shell_complete=complete_selection,
                help="Require these, in dbt's words: orders, +orders, tag:x, a,b.",
            ),
            option(
                "--exclude",
                multiple=True,
                metavar="NODES",
                group=SELECTION,
                shell_complete=complete_selection,
                help="Do not require these, in dbt's words.",
            ),
            option(
                "--selector",
                metavar="NAME",
                group=SELECTION,
                shell_complete=complete_selector,
                help="Require what this selector of selectors.yml selects.",
            ),
        ]
    ):
        command = decorate(command)
    return command


def changing(command: Command) -> Command:
    """Adds the options of commands that change the database and build nothing."""
    limit = option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=math.inf,
        metavar="SECONDS",
        group=LIMITS,
        default_is="none",
        help="Time limit of the whole.",
    )
    for decorate in reversed([limit, lock_timeout_option, log_file_option, on_failure_option]):
        command = decorate(command)
    return command


def given_here(name: str) -> bool:
    """Returns whether an option was given on the command line, and not by its environment variable."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(name) if context is not None else None
    return source is not None and source.name == "COMMANDLINE"


def attempt_of(
    options: dict[str, Any],
    as_json: bool,
    *,
    dbt: Options | None = None,
    threads: int | None = None,
    dbt_output: bool = False,
    plain: bool = False,
    reads: dict[str, Any] | None = None,
) -> Attempt:
    """Returns an attempt with the options of the command line."""
    from dbt_selfheal.engine.attempt import Attempt
    from dbt_selfheal.engine.interface import Request
    from dbt_selfheal.report.progress import Notes, view

    if options.get("selector") and (options.get("select") or options.get("exclude")):
        raise click.UsageError("choose one of --selector and --select with --exclude, as for dbt")
    request = Request(
        options=dbt or options_for_dbt(options),
        select=tuple(options.get("select") or ()),
        exclude=tuple(options.get("exclude") or ()),
        selector=options.get("selector"),
        reads=reads,
        threads=threads,
        timeout=options.get("timeout"),
        lock_timeout=options.get("lock_timeout"),
        min_free_mb=options.get("min_free_mb"),
        log_file=options.get("log_file"),
        dbt_output=dbt_output and not as_json,
        force=bool(options.get("force")),
        on_failure=options.get("on_failure"),
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
