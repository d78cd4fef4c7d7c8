"""The commands `schema validate` and `schema repair`."""

from __future__ import annotations

import sys
from typing import Any

import rich_click as click

from dbt_selfheal.cli.options import dbt_options, run_operation, select_option
from dbt_selfheal.cli.output import document, plain, say
from dbt_selfheal.terminal.help import ACTION, OUTPUT, Group, option

SERIOUS = ("warning", "error", "critical")


@click.group(cls=Group)
def schema() -> None:
    """Compare the database with what the project declares.

    \b
    Example:
      dbt-selfheal schema validate --strict
    """


@schema.command()
@dbt_options
@select_option
@option("--strict", is_flag=True, group=OUTPUT, help="Fail on warnings too.")
def validate(strict: bool, as_json: bool, **options: Any) -> None:
    """Show what differs: columns, types, keys, indexes, kinds.

    The exit code is 1 when an error or a critical difference is found, with
    --strict also for a warning; else 0.

    \b
    Example:
      dbt-selfheal schema validate --select tag:core --strict
    """
    report = _operation("validate_schema", "schema_validation", options, as_json, {})
    code = int(report["severity"] in SERIOUS if strict else not report["valid"])
    document(report, code) if as_json else say(validation_text(report))
    sys.exit(code)


@schema.command()
@dbt_options
@select_option
@option("--apply", is_flag=True, group=ACTION, help="Do it; else it is only shown.")
def repair(apply: bool, as_json: bool, **options: Any) -> None:
    """Add missing columns and indexes, recreate missing views.

    Nothing that holds data is dropped, replaced or narrowed. What is left is
    listed with the command that rebuilds it.

    \b
    Example:
      dbt-selfheal schema repair --apply
    """
    report = _operation("repair_schema", "schema_repair", options, as_json, {"apply": apply})
    document(report) if as_json else say(repair_text(report))


def _operation(
    name: str, event: str, options: dict[str, Any], as_json: bool, args: dict[str, Any]
) -> dict[str, Any]:
    """Runs an operation and returns its report."""
    if any(options.get(name) for name in ("select", "exclude", "selector")):
        args["select"] = []  # dbt's answer to the selection is put in where dbt runs
    what = "comparing the database with the project"
    found = run_operation(name, args, options, as_json, what=what, changes=bool(args.get("apply")))
    return plain(found.documents[event])


def validation_text(report: dict[str, Any]) -> str:
    """Returns a report of validate_schema for people."""
    counts = ", ".join(f"{count} {severity}" for severity, count in report["counts"].items() if count)
    state = "valid" if report["valid"] else "NOT as declared"
    lines = [f"Schema: {state} ({report['relations']} relations compared; found: {counts or 'nothing'})"]
    for issue in report["issues"]:
        severity = issue["severity"] if issue["severity"] == "info" else issue["severity"].upper()
        lines += [f"  {severity:<9}{_place(issue)}: {issue['message']}", f"           {issue['suggestion']}"]
    return "\n".join(lines)


def repair_text(report: dict[str, Any]) -> str:
    """Returns a report of repair_schema for people."""
    dry = (
        "dry run: nothing is done"
        if report["enabled"]
        else "off in this target or by setting; nothing was done"
    )
    word = "done" if report["applied"] else f"to do ({dry})"
    lines = [f"Schema repair: {len(report['actions'])} {word}, {len(report['left'])} left"]
    lines += [
        f"  {each['action']:<13}{each['relation']} {each['detail']}".rstrip() for each in report["actions"]
    ]
    for issue in report["left"]:
        lines += [f"  left: {_place(issue)}: {issue['message']}", f"        {issue['suggestion']}"]
    if report["actions"] and report["enabled"] and not report["applied"]:
        lines.append("Do it with: dbt-selfheal schema repair --apply")
    return "\n".join(lines)


def _place(issue: dict[str, Any]) -> str:
    return f"{issue['relation']}.{issue['column']}" if issue["column"] else str(issue["relation"])
