"""Help in one layout: options in groups, each with its environment variable and its default, and examples."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

if TYPE_CHECKING:
    from rich_click.rich_help_formatter import RichHelpFormatter

PREFIX = "DBT_SELFHEAL_"
LAYOUT = {
    "theme": "default-slim",
    "max_width": 80,
    "options_table_column_types": ["opt_short", "opt_long_metavar", "help"],
    "options_table_help_sections": ["help", "default", "envvar"],
    "default_string": r"\[default: {}]",
    "envvar_string": r"\[env:{}]",
    "padding_epilog": (0, 0, 1, 0),
}
# The groups of options, in the order of the help.
GROUPS = SELECTION, ACTION, LIMITS, OUTPUT, WORKSPACE = "Selection", "Action", "Limits", "Output", "Workspace"
Function = TypeVar("Function", bound=Callable[..., Any])


class _Verbatim(click.RichCommand):
    """Shows help and epilog as they are written: in lines of at most 80 columns."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.sort(key=lambda parameter: GROUPS.index(getattr(parameter, "panel", None) or WORKSPACE))

    def format_help_text(self, _: click.RichContext, formatter: RichHelpFormatter) -> None:  # type: ignore[override]
        """Writes the help, examples included."""
        _write(formatter, inspect.cleandoc(self.help or ""))

    def format_epilog(self, _: click.RichContext, formatter: RichHelpFormatter) -> None:  # type: ignore[override]
        """Writes what comes last, such as the exit codes."""
        if self.epilog:
            _write(formatter, self.epilog.strip())


class Command(_Verbatim):
    """A command with such a help."""


class Group(_Verbatim, click.RichGroup):  # type: ignore[misc]
    """A group of such commands."""

    command_class = Command
    group_class = type


def option(
    *names: str, group: str, default_is: str | None = None, **settings: Any
) -> Callable[[Function], Function]:
    """Returns a decorator that adds an option, with its environment variable: DBT_SELFHEAL_ and its name.

    Args:
        names: As click.option takes them; one begins with `--`.
        group: The heading in the help.
        default_is: What happens without the option, for people; None to show the default, if it has one.
        settings: What else click.option takes; `envvar` names another environment variable.
    """
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    settings.setdefault("envvar", PREFIX + long[2:].upper().replace("-", "_"))
    shown: bool | str = default_is if default_is is not None else "default" in settings
    return click.option(*names, panel=group, show_envvar=True, show_default=shown, **settings)


def _write(formatter: RichHelpFormatter, text: str) -> None:
    from rich.padding import Padding
    from rich.text import Text

    shown = Text(text.replace("\b\n", ""), no_wrap=True)
    shown.highlight_regex(r"(?m)^(Examples?|Exit codes):", "bold")
    formatter.write(Padding(shown, (0, 0, 1, 0)))
