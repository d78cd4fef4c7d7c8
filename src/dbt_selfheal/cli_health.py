"""The command `dbt-selfheal health`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
EXIT_CODES = """
\b
Exit codes: 0 healthy, 1 degraded (it works, something needs attention),
2 broken (commands fail, or the database cannot be reached),
3 the page could not be written (the rest was printed).
"""
NOT_WRITTEN = 3


def add_to(cli: click.Group, common: Decorator, select: Decorator) -> None:
    """Adds the command to the command line.

    Args:
        cli: The group.
        common: Adds dbt's options and those that all commands share.
        select: Adds --select.
    """

    @cli.command(epilog=EXIT_CODES)
    @common
    @select
    @click.option("--prometheus", is_flag=True, help="Metrics in Prometheus' text format on standard output.")
    @click.option(
        "--html",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write a page that needs no network.",
    )
    @click.option("--tests/--no-tests", default=True, help="Run the data tests. [--tests]")
    @click.option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="SECONDS",
        help="How long to wait for a database file that is in use. [0]",
    )
    @click.option(
        "--min-free-mb", type=click.FloatRange(min=0), metavar="MB", help="Least free disk space. [100]"
    )
    def health(as_json: bool, prometheus: bool, html: Path | None, tests: bool, **options: Any) -> None:
        """Say whether the database is fit for use, and what to do if not.

        Nothing is built or changed.

        \b
        Examples:
          dbt-selfheal health --html health.html
          dbt-selfheal health --prometheus > /var/lib/node_exporter/shop.prom
        """  # fmt: skip
        from dbt_selfheal.cli import _document, _Errors, _first_line, _initializer
        from dbt_selfheal.health import EXIT_CODES as CODES
        from dbt_selfheal.health import report_of, report_text

        if as_json and prometheus:
            raise click.UsageError("choose one of --json and --prometheus")
        initializer = _initializer(options, as_json)
        _first_line(options, "checking the health of the database")
        report = report_of(initializer, tests=tests)
        with _Errors(initializer, as_json):
            if prometheus:
                from dbt_selfheal.health_metrics import metrics

                click.echo(metrics(report), nl=False)
            elif as_json:
                _document(report)
            else:
                click.echo(report_text(report))
            if html is not None:
                _write(html, report)
        sys.exit(CODES[report["verdict"]])


def _write(file: Path, report: dict[str, Any]) -> None:
    from dbt_selfheal.health_page import page

    try:
        file.write_text(page(report), encoding="utf-8")
    except OSError as error:
        click.echo(f"Error: the page cannot be written to {file}: {error.strerror}", err=True)
        sys.exit(NOT_WRITTEN)
    click.echo(f"Written: {file}", err=True)
