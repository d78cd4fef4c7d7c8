"""The command dbt-selfheal.

Everything but click is imported where it is needed: the first line must be there before it is.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dbt_selfheal import __version__, cli_health, cli_schema

if TYPE_CHECKING:
    from dbt_selfheal.errors import SelfHealError
    from dbt_selfheal.initializer import Initializer
    from dbt_selfheal.workspace import Options

Command = Callable[..., Any]
EXIT_CODES = """
\b
Exit codes: 0 ready, 1 failed, 2 wrong usage, 3 time limit, 4 another
initialization is running, 5 database file damaged, 6 no disk space,
7 project, profile, package or seed file missing or wrong.
"""
INTERRUPTED = 130


def main() -> None:
    """Runs the command; no foreseeable error ends in a traceback."""
    if os.name == "nt":
        _line("Error: the command dbt-selfheal needs Linux or macOS.")
        _line("  What to do: run dbt itself; the package heals there, too. Or use the command in WSL.")
        sys.exit(1)
    try:
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as error:
        if isinstance(error.__cause__ or error.__context__, EOFError):
            _line("\nNobody is there to answer, so nothing was done. Use --yes to agree beforehand.")
            sys.exit(1)
        _line("Interrupted. What was built stays; run the same command again for the rest.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _line(f"Error: {error}")
        _line("  What to do: check the rights to that file and the free disk space, then try again.")
        sys.exit(1)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, message="dbt-selfheal %(version)s")
def cli() -> None:
    """Builds the relations that a dbt command reads but that do not exist.

    \b
    Examples:
      dbt-selfheal ensure                      make the workspace ready
      dbt-selfheal exec -- dbt run -s orders   run dbt, supervised
      dbt-selfheal exec -- python simulate.py  ensure first, then run
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


@cli.command(epilog=EXIT_CODES)
@dbt_options
@run_options
@select_option
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Build with dbt's own nodes on N threads. [chosen by the plan's size]",
)
@click.option("--dbt-output", is_flag=True, help="Show dbt's own output too.")
def ensure(threads: int | None, dbt_output: bool, as_json: bool, **options: Any) -> None:
    """Make sure that every required relation exists.

    \b
    Example:
      dbt-selfheal ensure --timeout 300 --threads 4
    """
    initializer = _initializer(options, as_json, threads=threads, dbt_output=dbt_output)
    _first_line(options, "checking the workspace")
    with _Errors(initializer, as_json):
        outcome = initializer.ensure()
    if as_json:
        _document(json.loads(initializer.result().model_dump_json()))
    else:
        _say(_outcome_text(outcome))
    sys.exit(0 if outcome.state == "completed" or outcome.way == "off" else 1)


@cli.command()
@dbt_options
@select_option
def plan(as_json: bool, **options: Any) -> None:
    """Show what is missing and what would be built, and build nothing.

    \b
    Example:
      dbt-selfheal plan --select tag:foundation
    """
    initializer = _initializer(options, as_json)
    _first_line(options, "asking dbt for the plan")
    with _Errors(initializer, as_json):
        found = initializer.plan()
    _document(found) if as_json else _say(plan_text(found))


@cli.command()
@dbt_options
@select_option
def status(as_json: bool, **options: Any) -> None:
    """Show which required relations exist.

    The exit code is 0 when all exist, else 1.

    \b
    Example:
      dbt-selfheal status --json
    """
    initializer = _initializer(options, as_json)
    _first_line(options, "asking dbt for the status")
    with _Errors(initializer, as_json):
        found = initializer.status()
    _document(found) if as_json else _say(status_text(found))
    sys.exit(0 if found.get("state") == "completed" else 1)


@cli.command("exec", context_settings={"allow_interspersed_args": False}, epilog=EXIT_CODES)
@dbt_options
@run_options
@select_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(command: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Run a command in a workspace that is ready.

    A dbt command is supervised: it heals in its own hook, within the time
    limit, and its nodes only run when that succeeded. Before any other command
    the workspace is made ready. Once it runs, its exit code is passed on.

    \b
    Examples:
      dbt-selfheal exec -- dbt run --select orders
      dbt-selfheal exec --timeout 300 -- python simulate.py
    """
    from dbt_selfheal.initializer import heals, options_of, switched_off
    from dbt_selfheal.scrub import Scrubber

    is_dbt = Path(command[0]).name == "dbt"
    given = _dbt_options(options)
    if is_dbt:
        if options["select"]:
            raise click.UsageError("--select belongs to dbt here: put it after the command of dbt.")
        command = (*_found(command), *_added(command, given))
    if switched_off() or (is_dbt and not heals(list(command[1:]))):
        _replace(command)
    _first_line(options, Scrubber()(f"checking the workspace for: {_joined(command)}"))
    if not is_dbt:
        initializer = _initializer(options, as_json)
        with _Errors(initializer, as_json):
            outcome = initializer.ensure()
        if as_json:
            _document(json.loads(initializer.result().model_dump_json()))
        elif not options["quiet"]:
            _line(_outcome_text(outcome))
        if outcome.state != "completed" and outcome.way != "off":
            sys.exit(1)
        _replace(command)
    initializer = _initializer(options, as_json, dbt=options_of(list(command[1:]), given), plain=True)
    _supervise(initializer, list(command), as_json)


@cli.command()
@dbt_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def recreate(as_json: bool, yes: bool, **options: Any) -> None:
    """Move the database file aside, so that a new one can be made.

    Nothing is deleted: the file and its write-ahead log are renamed with a
    time stamp. Then run: dbt-selfheal ensure

    \b
    Example:
      dbt-selfheal recreate --yes
    """
    from dbt_selfheal.errors import ConfigurationError, SelfHealError
    from dbt_selfheal.lock import hold, lock_file
    from dbt_selfheal.preflight import wait_for_file
    from dbt_selfheal.recreate import move_aside
    from dbt_selfheal.workspace import read_workspace, shown_path

    try:
        workspace = read_workspace(_dbt_options(options))
        file = workspace.database_file
        if file is None:
            raise ConfigurationError(
                f"recreate is for database files; this target is {workspace.adapter} ({workspace.place})",
                remedy="Drop or rename its schema with the means of that database.",
            )
        if not file.exists():
            _document({"moved": []}) if as_json else _say(
                f"There is no file {shown_path(file)}; nothing to move."
            )
            return
        if not yes and not click.confirm(f"Move {shown_path(file)} aside?", err=True):
            sys.exit(1)
        with hold(lock_file(workspace), 0):
            wait_for_file(file, 0, lambda _: None)
            moved = move_aside(file)
    except SelfHealError as error:
        _fail(error, as_json)
    if as_json:
        _document({"moved": [str(path) for path in moved]})
    else:
        _say("\n".join([*(f"Moved to {shown_path(path)}" for path in moved), "Now run: dbt-selfheal ensure"]))


# What the commands share


class _Errors:
    """Turns the errors of an attempt into text and exit codes."""

    def __init__(self, initializer: Initializer, as_json: bool) -> None:
        self._initializer = initializer
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
                result = json.loads(self._initializer.result(error).model_dump_json())
            _fail(error, self._as_json, result)


def _fail(error: SelfHealError, as_json: bool, result: dict[str, Any] | None = None) -> NoReturn:
    """Shows an error with its remedy, and exits with its code."""
    _line(f"Error: {error}")
    remedy = getattr(error, "remedy", None)
    if remedy:
        _line(f"  What to do: {remedy}")
    if as_json:
        document = result or {"state": "failed", "success": False, "error": str(error)}
        extra = {"code": getattr(error, "code", None), "remedy": remedy, "exit_code": error.exit_code}
        _document({**document, **extra})
    sys.exit(error.exit_code)


def _supervise(initializer: Initializer, command: list[str], as_json: bool) -> NoReturn:
    """Supervises a dbt command, and exits with its code."""
    with _Errors(initializer, as_json):
        try:
            code = initializer.supervise(command)
        except FileNotFoundError:
            _line(f"Error: there is no command {command[0]!r}")
            sys.exit(127)
    if as_json:
        _document(
            {"exit_code": code, "missing": initializer.recorder.missing, "built": initializer.recorder.built}
        )
    sys.exit(code)


def _replace(command: tuple[str, ...]) -> NoReturn:
    """Replaces this process by a command: its output, exit code and signals are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606
    except FileNotFoundError:
        _line(f"Error: there is no command {command[0]!r}")
        sys.exit(127)
    except PermissionError:
        _line(f"Error: {command[0]} cannot be executed")
        sys.exit(126)


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
    from dbt_selfheal.dbt import subcommand

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


def _initializer(
    options: dict[str, Any],
    as_json: bool,
    *,
    dbt: Options | None = None,
    threads: int | None = None,
    dbt_output: bool = False,
    plain: bool = False,
) -> Initializer:
    """Returns an attempt with the options of the command line."""
    from dbt_selfheal.initializer import Initializer, Request
    from dbt_selfheal.progress import Notes, view

    request = Request(
        options=dbt or _dbt_options(options),
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
    return Initializer(request, Notes() if plain and not quiet else view(quiet=quiet))


def _dbt_options(options: dict[str, Any]) -> Options:
    from dbt_selfheal.workspace import Options

    return Options(
        project_dir=options.get("project_dir"),
        profiles_dir=options.get("profiles_dir"),
        profile=options.get("profile"),
        target=options.get("target"),
        vars=options.get("vars_"),
    )


def _first_line(options: dict[str, Any], what: str) -> None:
    """Says that work has begun, before anything that takes time (SC-002)."""
    if not options["quiet"]:
        text = f"dbt-selfheal: {what}"
        _line(text if len(text) <= 79 else text[:76] + "...")


def _line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _say(text: str) -> None:
    click.echo(text)


def _document(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, indent=2, default=str))


def _outcome_text(outcome: Any) -> str:
    if outcome.way == "off":
        return "Self-healing is off, by setting or in this target; nothing was checked."
    if outcome.state != "completed":
        return f"Not ready: {len(outcome.missing)} relations are missing: {', '.join(outcome.missing[:12])}"
    how = {"warm": "unchanged since the last run", "none": "nothing was missing"}.get(outcome.way)
    built = how or f"{len(outcome.created)} built, {outcome.present} were there before and untouched"
    return f"Ready in {outcome.seconds:.1f} s: {built}"


def plan_text(plan: dict[str, Any]) -> str:
    """Returns a plan for people."""
    steps, required = plan.get("steps", []), plan.get("required", {})
    if not steps:
        return f"All {len(required)} required relations exist. Nothing to build."
    lines = [f"{len(steps)} missing ({len(required)} required). To build, in this order:"]
    reasons = {step["reason"] for step in steps}
    width = max(len(str(step["resource_type"])) for step in steps)
    for number, step in enumerate(steps, 1):
        relation = ".".join(
            str(step["relation"] or step["name"]).replace('"', "").replace("`", "").split(".")[-2:]
        )
        lines.append(f"{number:>3}  {step['resource_type']:<{width}}  {relation}")
        if len(reasons) > 1:
            lines.append(f"     {step['reason']}")
        if step.get("refusal"):
            lines.append(f"     not from a hook: {step['refusal']}")
    if len(reasons) == 1:
        lines.append(f"Why: {reasons.pop()}")
    lines.append("Build them with: dbt-selfheal ensure")
    return "\n".join(lines)


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
        error = f": {str(last['error']).splitlines()[0]}" if last.get("error") else ""
        took = f"{last['state']} in {last['duration_seconds']} s"
        lines.append(f"Last attempt: {took} at {last['started_at']}{error}")
    return "\n".join(lines)


from dbt_selfheal import migrate  # noqa: E402 (its commands share what is above)

migrate.add_to(cli, dbt_options)
cli_schema.add_to(cli, dbt_options, select_option)
cli_health.add_to(cli, dbt_options, select_option)


if __name__ == "__main__":
    main()
