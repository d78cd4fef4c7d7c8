"""The command `health`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from dbt_selfheal.cli.options import attempt_of, dbt_options, select_option
from dbt_selfheal.cli.output import Errors, document, first_line

EXIT_CODES = """
\b
Exit codes: 0 healthy, 1 degraded (it works, something needs attention),
2 broken (commands fail, or the database cannot be reached),
3 the page could not be written (the rest was printed).
"""
NOT_WRITTEN = 3


@click.command(epilog=EXIT_CODES)
@dbt_options
@select_option
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
    """
    from dbt_selfheal.health.report import EXIT_CODES as CODES
    from dbt_selfheal.health.report import report_of, report_text

    if as_json and prometheus:
        raise click.UsageError("choose one of --json and --prometheus")
    attempt = attempt_of(options, as_json)
    first_line(options, "checking the health of the database")
    with Errors(attempt, as_json):
        report = report_of(attempt, tests=tests)
        if prometheus:
            from dbt_selfheal.health.metrics import metrics

            click.echo(metrics(report), nl=False)
        elif as_json:
            document(report)
        else:
            click.echo(report_text(report))
        if html is not None:
            _write(html, report)
    sys.exit(CODES[report["verdict"]])


def _write(file: Path, report: dict[str, Any]) -> None:
    from dbt_selfheal.health.page import page

    try:
        file.write_text(page(report), encoding="utf-8")
    except OSError as error:
        click.echo(f"Error: the page cannot be written to {file}: {error.strerror}", err=True)
        sys.exit(NOT_WRITTEN)
    click.echo(f"Written: {file}", err=True)
