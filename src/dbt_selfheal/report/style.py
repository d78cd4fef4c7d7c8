"""The terminal: whether lines are coloured, as dbt and rich decide it, and how long they may be."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import IO

import click

FLAGS = {"--use-colors": True, "--no-use-colors": False}
# A command to paste: after a colon or in brackets, up to the end of its sentence, in backticks, or a line
# of its own after one that ends with a colon. What stands in quotes is part of it.
_PROGRAM = (
    r"(?:dbt (?:build|clean|clone|compile|debug|deps|docs|list|ls|parse|retry|run|run-operation|seed|show"
    r"|snapshot|source|test)\b|(?:dbt-selfheal|pip|uv|export|lsof|ls|ps|iconv) |--[a-z])"
)
_COMMAND = re.compile(
    rf"(?:(?<!Error: )(?<=: )|(?<=\()){_PROGRAM}(?:'[^']*'|\"[^\"]*\"|.)*?(?<=\S)(?=[.,;)]+(?: |$)| \(|$)"
    r"|`[^`]+`"
)
_LINE = re.compile(rf"\s*{_PROGRAM}")
_SPACE = "\ue000"  # stands for a space at which a line is not folded
OFF = ("0", "false", "no", "off", "")


def wanted_colors(flag: bool | None = None) -> bool | None:
    """Returns whether colours are asked for; None when nobody says so and the terminal decides.

    A flag counts more than dbt's variables, those more than NO_COLOR (https://no-color.org), and that more
    than FORCE_COLOR.

    Args:
        flag: What `--use-colors` or `--no-use-colors` says; None when neither is given.
    """
    if flag is not None:
        return flag
    for name in ("DBT_ENGINE_USE_COLORS", "DBT_USE_COLORS"):
        if os.environ.get(name):
            return os.environ[name].lower() not in OFF
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "").lower() not in OFF:
        return True
    return False if os.environ.get("TERM") == "dumb" else None


def flag_in(command: Sequence[str]) -> bool | None:
    """Returns what the arguments of a dbt command say of colours, the last of them; None if nothing."""
    return next((FLAGS[word] for word in reversed(command) if word in FLAGS), None)


def has_colors(stream: IO[str]) -> bool:
    """Returns whether a stream gets colours: as command line or environment say, else by its terminal."""
    context = click.get_current_context(silent=True)
    asked = context.color if context is not None and context.color is not None else wanted_colors()
    return stream.isatty() if asked is None else asked


def good(text: str) -> str:
    """Returns a text in green."""
    return click.style(text, fg="green")


def bad(text: str) -> str:
    """Returns a text in red."""
    return click.style(text, fg="red")


def wrapped(text: str, indent: str = "") -> str:
    """Returns a text with its lines folded to the width of the terminal; as it is where there is none.

    A command to paste is never folded: a terminal that does it by itself copies it as one line.

    Args:
        text: The text.
        indent: What the lines after the first begin with.
    """
    width = _width()
    lines: list[str] = []
    before = ""
    for each in text.splitlines():
        start = indent if lines else ""
        is_command = before.endswith(":") and _LINE.match(each)
        before = each
        if width is None or is_command or len(start + each) <= width:
            lines.append(start + each)
            continue
        own = " " * (len(each) - len(each.lstrip())) if lines else ""
        each = _COMMAND.sub(lambda found: found[0].replace(" ", _SPACE), each)
        folded = textwrap.wrap(
            each, width, initial_indent=start, subsequent_indent=indent + own,
            break_long_words=False, break_on_hyphens=False, drop_whitespace=True,
        )  # fmt: skip
        lines += [part.replace(_SPACE, " ") for part in folded]
    return "\n".join(lines)


def _width() -> int | None:
    """Returns the width to which texts are folded: that of COLUMNS or of the terminal; None for neither."""
    if os.environ.get("COLUMNS", "").isdigit():
        return max(40, int(os.environ["COLUMNS"]))
    seen = sys.stderr.isatty() or sys.stdout.isatty()
    return shutil.get_terminal_size().columns if seen else None
