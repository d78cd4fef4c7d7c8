"""What people see on standard error: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbt_selfheal.report.durations import Durations
from dbt_selfheal.report.style import bad, good, has_colors, wrapped

if TYPE_CHECKING:
    from rich.progress import Progress

Event = dict[str, Any]
STEPS = {
    "run_migrations": "Running migrations",
    "load_seeds": "Loading seed data",
    "build_foundation": "Building foundation models",
    "load_initial_data": "Loading initial data",
    "verify": "Verifying",
}
WIDTH = 79  # of a line with a node, in characters
BAR_WIDTH = 10


class Lines:
    """Plain lines, each written at once.

    Args:
        state_folder: Where the times of earlier runs are kept; None when that is not known yet.
    """

    def __init__(self, state_folder: Path | None = None) -> None:
        self.state_folder = state_folder
        self.threads = 1
        self._plan: Event = {}
        self._done: set[str] = set()
        self._started: dict[str, float] = {}
        self._native = False
        self._expected: Durations | None = None

    def note(self, text: str) -> None:
        """Shows a line."""
        self._write(wrapped(text, "  "))

    def way(self, way: str, reason: str, count: int) -> None:
        """Says how the missing relations are built."""
        self._native = way == "native"
        noun = "relation is" if count == 1 else "relations are"
        if reason == "by setting":
            self._write(f"{count} required {noun} missing; on_missing keeps them from being built")
            return
        how = "with dbt's own nodes" if self._native else "in one dbt operation"
        expected = self._left()
        took = f" (about {_seconds(expected)})" if expected else ""
        self._write(f"{count} required {noun} missing; building {how}{took}")
        if self._native:
            self._write(wrapped(f"  why this way: {reason}", "    "))
        if self._native:  # seeds and models are built side by side
            self._step("Building seeds and models")

    def event(self, event: Event) -> None:
        """Shows what an event means."""
        name = event.get("event")
        if name == "initialization_plan":
            self._plan = event
        elif name == "initialization_step_started" and event["step_name"] in STEPS:
            if not (self._native and event["step_name"] in ("load_seeds", "build_foundation")):
                self._step(STEPS[event["step_name"]])
        elif name == "initialization_node_started":
            self._started[event["unique_id"]] = time.monotonic()
        elif name == "initialization_node_skipped":
            self._started.pop(event["unique_id"], None)
        elif name == "initialization_node_complete":
            self._node(event)

    def tick(self) -> None:
        """Updates what changes with time: nothing here."""

    def close(self) -> None:
        """Ends the display, with a line for each node that has not come to its end."""
        self._unfinished()

    def _step(self, text: str) -> None:
        self._write(f"{text} ...")

    def _node(self, event: Event) -> None:
        self._started.pop(event["unique_id"], None)
        self._done.add(event["unique_id"])
        total = max(len(self._plan.get("steps", [])), len(self._done))
        where = f"{len(self._done)} of {total}".rjust(len(f"{total} of {total}"))
        word, style = ("OK", good) if event["success"] else ("ERROR", bad)
        status = f"[{event['duration_seconds']:.2f} s]"
        start = f"{where} {word} {event['resource_type']} "
        name = _shortened(_relation(event), max(20, WIDTH - len(start) - len(status) - 5))
        dots = "." * max(3, WIDTH - len(start) - len(name) - len(status) - 2)
        self._write(f"{where} {style(word)} {event['resource_type']} {name} {dots} {status}")

    def _unfinished(self) -> None:
        """Shows the nodes that failed, or that were ended."""
        steps = {step["unique_id"]: step for step in self._plan.get("steps", [])}
        for unique_id, since in list(self._started.items()):
            if unique_id in steps:
                times = {"success": False, "duration_seconds": time.monotonic() - since}
                self._node({**steps[unique_id], **times})

    def _left(self) -> float | None:
        """Returns the time still expected, in seconds; None if it is not known."""
        if self._expected is None and self.state_folder is not None:
            self._expected = Durations(self.state_folder)
        ids = [
            step["unique_id"] for step in self._plan.get("steps", []) if step["unique_id"] not in self._done
        ]
        return self._expected.expected(ids, self.threads) if self._expected is not None else None

    def _write(self, text: str) -> None:
        click.echo(text, err=True, color=has_colors(sys.stderr))


class Live(Lines):
    """Plain lines, and below them one that shows step, node, elapsed and expected time."""

    def __init__(self, state_folder: Path | None = None) -> None:
        super().__init__(state_folder)
        self._progress: Progress | None = None
        self._text = "Starting dbt"

    def note(self, text: str) -> None:
        """Shows a line."""
        if text != "Starting dbt":
            super().note(text)

    def tick(self) -> None:
        """Updates the live line, which is made at the first call: by then dbt is starting."""
        if self._progress is None:
            self._progress = _progress()
            self._progress.add_task(self._text, total=None, left="", count="")
            self._progress.start()
        total = len(self._plan.get("steps", []))
        left = self._left() if total else None
        self._progress.update(
            self._progress.task_ids[0],
            description=_shortened(self._text, 28),
            total=total or None,
            completed=len(self._done),
            count=f"{len(self._done)} of {total}" if total else "",
            left=f"about {_seconds(left)} left" if left else "",
        )

    def close(self) -> None:
        """Removes the live line."""
        super().close()
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _step(self, text: str) -> None:
        self._text = text

    def _write(self, text: str) -> None:
        if self._progress is None:
            super()._write(text)
        else:
            from rich.text import Text

            self._progress.console.print(Text.from_ansi(text), soft_wrap=True)


class Notes(Lines):
    """Lines beside dbt's own output, which says what is built: only what that does not say."""

    def way(self, way: str, reason: str, count: int) -> None:
        """Says how the missing relations are built: nothing here, dbt does."""

    def event(self, event: Event) -> None:
        """Says how long it will take, when that is known."""
        if event.get("event") == "initialization_plan":
            self._plan = event
            expected = self._left()
            if expected:
                self._write(f"dbt-selfheal: healing takes about {_seconds(expected)} by earlier runs")


class Quiet(Lines):
    """Nothing at all."""

    def _write(self, text: str) -> None:
        pass


def view(*, quiet: bool) -> Lines:
    """Returns the display that fits: none, live on a terminal, else plain lines."""
    if quiet:
        return Quiet()
    return Live() if sys.stderr.isatty() else Lines()


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        console=Console(stderr=True, no_color=not has_colors(sys.stderr)),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _relation(event: Event) -> str:
    """Returns schema and name of a node's relation, or its name if it has none."""
    relation = event.get("relation")
    if not relation:
        return str(event["unique_id"]).split(".", 2)[-1]
    parts = str(relation).replace('"', "").replace("`", "").split(".")
    return ".".join(parts[-2:])


def _seconds(seconds: float) -> str:
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s" if seconds >= 1 else "1 s"


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
