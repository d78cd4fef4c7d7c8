"""The command dbt-selfheal: the group, and what every one of its errors becomes.

Everything but rich-click is imported where it is needed: the first line must be there before it is.
"""

from __future__ import annotations

import itertools
import os
import sys
from typing import NoReturn

import rich_click as click

from dbt_selfheal import __version__
from dbt_selfheal.cli.execute import execute
from dbt_selfheal.cli.explain import explain
from dbt_selfheal.cli.healing import ensure, plan, recreate, status
from dbt_selfheal.cli.health import health
from dbt_selfheal.cli.initial_data import hash_password, initial_data
from dbt_selfheal.cli.migrate import migrate
from dbt_selfheal.cli.options import EXIT_CODES
from dbt_selfheal.cli.output import document, error_text, line
from dbt_selfheal.cli.schema import schema
from dbt_selfheal.terminal.help import LAYOUT, Group

INTERRUPTED = 130
TRUE = ("1", "true", "t", "yes", "y", "on")  # as click reads the variable of a flag


def main() -> None:
    """Runs the command; no foreseeable error ends in a traceback."""
    if os.name == "nt":
        remedy = "Run dbt itself; the package heals there, too. Or use the command in WSL."
        line(error_text("the command dbt-selfheal needs Linux or macOS", remedy))
        sys.exit(1)
    try:
        sys.exit(cli(prog_name="dbt-selfheal", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        _end("selfheal-usage", error.format_message(), "See dbt-selfheal --help.", error.exit_code)
    except click.Abort as error:
        if isinstance(error.__cause__ or error.__context__, EOFError):
            message = "nobody is there to answer, so nothing was done"
            remedy = "Agree beforehand: recreate --yes, or ensure without --interactive."
            line("\n" + error_text(message, remedy, "selfheal-no-answer"))
            _end("selfheal-no-answer", message, remedy, 1)
        message, remedy = "interrupted; what was built stays", "Run the same command again for the rest."
        line("Interrupted. What was built stays; run the same command again for the rest.")
        _end("selfheal-interrupted", message, remedy, INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        remedy = "Check the rights to that file and the free disk space, then try again."
        line(error_text(str(error), remedy, "selfheal-file-unusable"))
        _end("selfheal-file-unusable", str(error), remedy, 1)


def _end(code: str, message: str, remedy: str, exit_code: int) -> NoReturn:
    """Exits with a code, and with the document of an error where one is asked for.

    What is wrong may be the command line itself, so it is looked at word by word.
    """
    words = list(itertools.takewhile(lambda word: word != "--", sys.argv[1:]))
    if "--json" in words or os.environ.get("DBT_SELFHEAL_JSON", "").lower() in TRUE:
        found: click.Command = cli
        names = []
        for word in words:
            if isinstance(found, click.Group) and word in found.commands:
                found = found.commands[word]
                names.append(word)
        error = {"code": code, "message": message, "remedy": remedy}
        document(None, exit_code, error=error, command=" ".join(names))
    sys.exit(exit_code)


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog=EXIT_CODES,
)
@click.rich_config(LAYOUT)
@click.version_option(__version__, message="dbt-selfheal %(version)s")
def cli() -> None:
    """Builds the relations that a dbt command reads but that do not exist.

    \b
    Examples:
      dbt-selfheal ensure                      make the workspace ready
      dbt-selfheal exec -- dbt run -s orders   run dbt, supervised
      dbt-selfheal exec -- python simulate.py  ensure first, then run
    """


for command in (
    ensure,
    plan,
    status,
    execute,
    recreate,
    migrate,
    initial_data,
    hash_password,
    schema,
    health,
    explain,
):
    cli.add_command(command)
