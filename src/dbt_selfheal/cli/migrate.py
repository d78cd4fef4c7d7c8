"""The commands `migrate ...`; the work itself is that of the macros."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import rich_click as click

from dbt_selfheal.cli.options import attempt_of, changing, dbt_options, options_for_dbt, run_operation
from dbt_selfheal.cli.output import document, fail, first_line, last, plain, say, show
from dbt_selfheal.terminal.help import ACTION, SELECTION, Group, option

if TYPE_CHECKING:
    from dbt_selfheal.report.recorder import Recorder

ACTIONS = ("rerun", "mark-applied", "mark-failed")
dry_run_option = option("--dry-run", is_flag=True, group=ACTION, help="Print the SQL and change nothing.")


@click.group(cls=Group)
def migrate() -> None:
    """Apply, take back and look at the project's migrations.

    \b
    Examples:
      dbt-selfheal migrate status
      dbt-selfheal migrate up --dry-run
    """


@migrate.command()
@dbt_options
@click.argument("name")
@option(
    "--from",
    "models",
    metavar="MODULE:METADATA",
    group=ACTION,
    help="Bring the database to these models.",
)
@option(
    "--version",
    metavar="VERSION",
    group=ACTION,
    default_is="the next one",
    help="Its version.",
)
def create(name: str, models: str | None, version: str | None, as_json: bool, **options: Any) -> None:
    """Write the file of the next migration, with its rollback.

    Without --from it is to be filled in. With it Alembic compares the
    database with SQLAlchemy models, and the file has the statements between.
    Look at them: what cannot be detected is printed. Nothing is overwritten,
    and nothing applied.

    \b
    Examples:
      dbt-selfheal migrate create create_users
      dbt-selfheal migrate create add_age --from shop.models:Base.metadata
    """
    from dbt_selfheal.errors import SelfHealError

    try:
        content = _from_models(name, models, version, options) if models else _empty(name, version, options)
    except SelfHealError as error:
        fail(error, as_json)
    if as_json:
        document(content)
    else:
        say(_written_text(content))


@migrate.command()
@dbt_options
def status(as_json: bool, **options: Any) -> None:
    """Show the state of each migration, what is wrong, and what to do.

    The exit code is 0 when all are applied, else 1.

    \b
    Example:
      dbt-selfheal migrate status --json
    """
    found = _look("migration_status", options, as_json)
    event = found.named("migration_status")[-1]
    code = 0 if event["state"] == "up_to_date" else 1
    show(found, plain(event), as_json, code)
    sys.exit(code)


@migrate.command()
@dbt_options
@changing
@option(
    "--to",
    metavar="VERSION",
    envvar="DBT_SELFHEAL_UP_TO",
    group=SELECTION,
    default_is="all",
    help="The last version to apply.",
)
@dry_run_option
def up(as_json: bool, to: str | None, dry_run: bool, **options: Any) -> None:
    """Apply the pending migrations, in order, each once.

    \b
    Examples:
      dbt-selfheal migrate up --dry-run
      dbt-selfheal migrate up --to 0007
    """
    _move("run_migrations", "migration_complete", "applied", as_json, to, dry_run, options)


@migrate.command()
@dbt_options
@changing
@option(
    "--to",
    metavar="VERSION",
    envvar="DBT_SELFHEAL_DOWN_TO",
    group=SELECTION,
    default_is="one back",
    help="The version to go back to; 0 for all.",
)
@dry_run_option
def down(as_json: bool, to: str | None, dry_run: bool, **options: Any) -> None:
    """Roll back the newest migration, or all after a version.

    \b
    Examples:
      dbt-selfheal migrate down
      dbt-selfheal migrate down --to 0007    0007 stays applied; 0: all go
    """
    _move("rollback_migration", "migration_rolled_back", "rolled_back", as_json, to, dry_run, options)


@migrate.command()
@dbt_options
def history(as_json: bool, **options: Any) -> None:
    """Show every attempt: what, when, by whom, with what result.

    \b
    Example:
      dbt-selfheal migrate history
    """
    found = _look("migration_history", options, as_json)
    show(found, last(found, "migration_history"), as_json)


@migrate.command()
@dbt_options
def validate(as_json: bool, **options: Any) -> None:
    """Fail when anything is wrong with the migrations; for CI.

    Pending ones are not wrong.

    \b
    Example:
      dbt-selfheal migrate validate
    """
    found = _look("validate_migrations", options, as_json)
    state = last(found, "migration_status")
    show(found, {"valid": True, **state} if state else {}, as_json)


@migrate.command()
@dbt_options
@changing
@click.argument("version")
def baseline(version: str, as_json: bool, **options: Any) -> None:
    """Record the migrations up to VERSION as applied, and run none.

    For a database that is older than its migrations.

    \b
    Example:
      dbt-selfheal migrate baseline 0007
    """
    arguments = {"version": version}
    found = run_operation("baseline_migrations", arguments, options, as_json, what="recording", changes=True)
    show(found, last(found, "migrations_baselined"), as_json)


@migrate.command()
@dbt_options
@changing
@click.argument("version")
@click.argument("action", type=click.Choice(ACTIONS))
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
    found = run_operation("repair_migrations", arguments, options, as_json, what="repairing", changes=True)
    show(found, last(found, "migration_repaired"), as_json)


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
    found = run_operation(operation, arguments, options, as_json, what=what, changes=not dry_run)
    content = {
        "dry_run": dry_run,
        "migrations": last(found, "migration_plan").get("migrations", []),
        key: [plain(done) for done in found.named(event)],
    }
    show(found, content, as_json)


def _look(operation: str, options: dict[str, Any], as_json: bool) -> Recorder:
    """Runs an operation that changes nothing, without a time limit."""
    what = "asking dbt for the migrations"
    return run_operation(operation, {}, {"timeout": math.inf, **options}, as_json, what=what)


def _empty(name: str, version: str | None, options: dict[str, Any]) -> dict[str, Any]:
    from dbt_selfheal.metadata.migration_file import next_version, write_migration
    from dbt_selfheal.workspace.project import read_workspace, shown_path

    workspace = read_workspace(options_for_dbt(options))
    version = version or next_version(workspace)
    file = write_migration(workspace, version, name)
    return {
        "file": shown_path(file),
        "version": version,
        "statements": [],
        "drops": [],
        "notes": [],
        "never_detected": [],
    }


def _from_models(name: str, models: str, version: str | None, options: dict[str, Any]) -> dict[str, Any]:
    from dbt_selfheal.errors import ConfigurationError
    from dbt_selfheal.metadata.definition import load_metadata
    from dbt_selfheal.metadata.difference import NEVER_DETECTED, difference
    from dbt_selfheal.metadata.migration_file import check_name, next_version, write_migration
    from dbt_selfheal.workspace.project import read_workspace, shown_path

    check_name(name)
    workspace = read_workspace(options_for_dbt(options))
    metadata = load_metadata(models, workspace.project_dir)
    first_line(options, "comparing the database with the models")
    attempt = attempt_of({"timeout": math.inf, **options}, False)
    status = attempt.operation("migration_status").named("migration_status")[-1]
    if status["state"] != "up_to_date":
        raise ConfigurationError(
            f"the project's migrations are {status['state']}: what they do would be in the new one again",
            code="selfheal-migrations-pending",
            remedy="Apply them first: dbt-selfheal migrate up (or look at them: dbt-selfheal migrate status)",
        )
    found = difference(workspace, metadata)
    content = {"statements": found.up, "drops": found.losses, "notes": found.notes}
    if not found.up:
        return {"file": None, "version": None, **content, "never_detected": list(NEVER_DETECTED)}
    version = version or next_version(workspace)
    file = write_migration(workspace, version, name, found.up, found.down)
    return {"file": shown_path(file), "version": version, **content, "never_detected": list(NEVER_DETECTED)}


def _written_text(content: dict[str, Any]) -> str:
    count = len(content["statements"])
    written = f" ({count} {'statement' if count == 1 else 'statements'})" if count else ""
    lines = (
        [f"Written: {content['file']}{written}"] if content["file"] else ["Nothing to write: no difference"]
    )
    lines += [f"  it DROPS data: {text}" for text in content["drops"]]
    lines += [f"  {text}" for text in content["notes"]]
    lines += [f"  never detected: {text}" for text in content.get("never_detected", [])]
    if count:
        lines.append("Look at the file, then: dbt-selfheal migrate up --dry-run")
    return "\n".join(lines)
