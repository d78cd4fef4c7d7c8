"""The command `health`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click

from dbt_selfheal.cli.options import attempt_of, dbt_options, select_option
from dbt_selfheal.cli.output import Errors, document, error_text, fail, first_line, line
from dbt_selfheal.terminal.help import LIMITS, OUTPUT, SELECTION, Command, option

EXIT_CODES = """
Exit codes: 0 healthy, 1 degraded (it works, something needs attention),
8 broken (commands fail, or the database cannot be reached),
9 the page could not be written (the rest was printed); 2 wrong usage,
7 the package that checks the health is not installed, or --serve: the
address cannot be had.
"""
NOT_WRITTEN = 9


@click.command(cls=Command, epilog=EXIT_CODES)
@dbt_options
@select_option
@option("--prometheus", is_flag=True, group=OUTPUT, help="Metrics in Prometheus' text format.")
@option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    group=OUTPUT,
    help="Write a page that needs no network.",
)
@option(
    "--serve",
    metavar="[HOST:]PORT",
    group=OUTPUT,
    help="Serve /health, /metrics and a page; the host is 127.0.0.1 unless given.",
)
@option(
    "--every",
    type=click.FloatRange(min=1),
    default=60.0,
    metavar="SECONDS",
    group=LIMITS,
    help="With --serve: the time between two checks.",
)
@option("--tests/--no-tests", default=True, group=SELECTION, help="Run the data tests.")
@option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    group=LIMITS,
    help="How long to wait for a database file that is in use.",
)
@option(
    "--min-free-mb",
    type=click.FloatRange(min=0),
    metavar="MB",
    group=LIMITS,
    default_is="100",
    help="Least free disk space.",
)
def health(
    as_json: bool,
    prometheus: bool,
    html: Path | None,
    tests: bool,
    serve: str | None,
    every: float,
    **options: Any,
) -> None:
    """Say whether the database is fit for use, and what to do if not.

    Nothing is built or changed.

    \b
    Examples:
      dbt-selfheal health --html health.html
      dbt-selfheal health --prometheus > /var/lib/node_exporter/shop.prom
      dbt-selfheal health --serve 9187 --every 300
    """
    from dbt_selfheal.health.report import EXIT_CODES as CODES
    from dbt_selfheal.health.report import report_of, report_text

    if as_json and prometheus:
        raise click.UsageError("choose one of --json and --prometheus")
    if serve is not None:
        if as_json or prometheus or html is not None:
            raise click.UsageError("--serve has all forms itself: leave --json, --prometheus and --html out")
        _serve(serve, every, tests, options)
    attempt = attempt_of(options, as_json)
    first_line(options, "checking the health of the database")
    with Errors(attempt, as_json):
        report = report_of(attempt, tests=tests)
        failed = _write(html, report) if html is not None else None
        code = NOT_WRITTEN if failed else CODES[report["verdict"]]
        if prometheus:
            from dbt_selfheal.health.metrics import metrics

            click.echo(metrics(report), nl=False)
        elif as_json:
            document(report, code, error=failed)
        else:
            click.echo(report_text(report))
    sys.exit(code)


def _serve(place: str, every: float, tests: bool, options: dict[str, Any]) -> NoReturn:
    """Serves until it is interrupted; a wrong address, or one in use, is an error."""
    from dbt_selfheal.errors import ConfigurationError
    from dbt_selfheal.health.report import report_of
    from dbt_selfheal.health.serve import address_of, serve_health

    try:
        serve_health(
            address_of(place),
            lambda: report_of(attempt_of({**options, "quiet": True}, False), tests=tests),
            every,
            lambda url: first_line(options, f"{url} with health and metrics, every {every:g} s"),
        )
    except ConfigurationError as error:
        fail(error, False)
    sys.exit(0)


def _write(file: Path, report: dict[str, Any]) -> dict[str, Any] | None:
    """Writes the page; returns what went wrong, as the JSON document has it, None if nothing."""
    from dbt_selfheal.health.page import page
    from dbt_selfheal.workspace.writing import write_named

    try:
        write_named(file, page(report))
    except OSError as error:
        message = f"the page cannot be written to {file}: {error.strerror}"
        code, remedy = "selfheal-page-not-written", "Name a file in a folder that this user may write to."
        line(error_text(message, remedy, code))
        return {"code": code, "message": message, "remedy": remedy}
    line(f"Written: {file}")
    return None
