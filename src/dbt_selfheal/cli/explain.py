"""The command `explain`: what a code of an error means."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import rich_click as click
from click.shell_completion import CompletionItem

from dbt_selfheal.cli.output import say
from dbt_selfheal.terminal.help import Command

if TYPE_CHECKING:
    from dbt_selfheal.report.catalogue import Remedy


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Returns the codes that begin as typed, with or without their prefix."""
    from dbt_selfheal.report.catalogue import PREFIX, codes, filled

    return [
        CompletionItem(code, help=filled(rows[0].what_happened))
        for code, rows in codes().items()
        if code.startswith(incomplete) or (incomplete and code.startswith(PREFIX + incomplete))
    ]


@click.command(cls=Command)
@click.argument("code", required=False, shell_complete=_complete)
def explain(code: str | None) -> None:
    """Say what the code of an error means, and what to do.

    Without a code all of them are listed.

    \b
    Examples:
      dbt-selfheal explain selfheal-source-missing
      dbt-selfheal explain
    """
    from dbt_selfheal.report.catalogue import codes, full_code

    known = codes()
    if code is None:
        say(list_text(known))
        return
    rows = known.get(full_code(code))
    if rows is None:
        near = get_close_matches(full_code(code), known, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else " `dbt-selfheal explain` lists all."
        raise click.BadParameter(f"there is no code {code}.{hint}", param_hint="CODE")
    say(code_text(rows))


def list_text(known: dict[str, list[Remedy]]) -> str:
    """Returns all codes, each with what happened."""
    from dbt_selfheal.report.catalogue import filled
    from dbt_selfheal.report.style import wrapped

    lines = []
    for code, rows in known.items():
        lines += [f"{code} ({rows[0].exit_code})", wrapped(f"  {filled(rows[0].what_happened)}", "  ")]
    return "\n".join([*lines, "", "In brackets: the exit code. More of one: dbt-selfheal explain CODE"])


def code_text(rows: list[Remedy]) -> str:
    """Returns what a code means: what, why, what to do, an example."""
    from dbt_selfheal.report.catalogue import filled
    from dbt_selfheal.report.style import wrapped

    first = rows[0]
    remedies = dict.fromkeys(filled(row.what_to_do) for row in rows)
    lines = [
        f"{first.code} (exit code {first.exit_code})",
        wrapped(filled(first.what_happened)),
        "",
        wrapped(f"Why: {filled(first.why)}", "  "),
        *(wrapped(f"What to do: {text}", "  ") for text in remedies),
        "",
        "For example:",
        *(f"  {line}" for line in first.example.splitlines()),
    ]
    return "\n".join(lines)
