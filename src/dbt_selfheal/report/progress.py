"""What people see on standard error: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt_selfheal.report.durations import Durations

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
NAME_WIDTH = 44
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
        self._native = False
        self._expected: Durations | None = None

    def note(self, text: str) -> None:
        """Shows a line."""
        self._write(text)

    def way(self, way: str, reason: str, count: int) -> None:
        """Says how the missing relations are built."""
        self._native = way == "native"
        how = "with dbt's own nodes" if self._native else "in one dbt operation"
        expected = self._left()
        time = f" (about {_seconds(expected)})" if expected else ""
        noun = "relation is" if count == 1 else "relations are"
        self._write(f"{count} required {noun} missing; building {how}{time}")
        if self._native:
            self._write(f"  why this way: {reason}")
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
        elif name == "initialization_node_complete":
            self._node(event)

    def tick(self) -> None:
        """Updates what changes with time: nothing here."""

    def close(self) -> None:
        """Ends the display: nothing here."""

    def _step(self, text: str) -> None:
        self._write(f"{text} ...")

    def _node(self, event: Event) -> None:
        self._done.add(event["unique_id"])
        total = max(len(self._plan.get("steps", [])), len(self._done))
        where = f"{len(self._done)} of {total}".rjust(len(f"{total} of {total}"))
        name = _shortened(_relation(event), NAME_WIDTH)
        status = f"{event['duration_seconds']:.2f} s" if event["success"] else "failed"
        self._write(f"{where}  {event['resource_type']:<8}  {name:<{NAME_WIDTH}}  {status:>9}")

    def _left(self) -> float | None:
        """Returns the time still expected, in seconds; None if it is not known."""
        if self._expected is None and self.state_folder is not None:
            self._expected = Durations(self.state_folder)
        ids = [
            step["unique_id"] for step in self._plan.get("steps", []) if step["unique_id"] not in self._done
        ]
        return self._expected.expected(ids, self.threads) if self._expected is not None else None

    def _write(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


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
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _step(self, text: str) -> None:
        self._text = text

    def _write(self, text: str) -> None:
        if self._progress is None:
            super()._write(text)
        else:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


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
        console=Console(stderr=True),
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
