"""What is told of an initialization: the steps of its result, the log of events, the lines for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dbt_selfheal.report.scrub import Scrubber
from dbt_selfheal.workspace.writing import write_named

if TYPE_CHECKING:
    from dbt_selfheal.errors import InitializationError
    from dbt_selfheal.report.listeners import Listener

Event = dict[str, Any]


def now() -> datetime:
    """Returns the time, in UTC, to the millisecond."""
    moment = datetime.now(timezone.utc)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """Returns a time as ISO 8601 in UTC with a Z."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class View(Protocol):
    """What people see; made by dbt_selfheal.progress."""

    state_folder: Path | None
    threads: int

    def note(self, text: str) -> None:
        """Shows a line."""

    def event(self, event: Event) -> None:
        """Shows what an event means."""

    def way(self, way: str, reason: str, count: int) -> None:
        """Says how the missing relations are built."""

    def tick(self) -> None:
        """Updates what changes with time."""

    def close(self) -> None:
        """Ends the display."""


class Silent:
    """Shows nothing."""

    state_folder: Path | None = None
    threads = 1

    def note(self, text: str) -> None:
        """Shows nothing."""

    def event(self, event: Event) -> None:
        """Shows nothing."""

    def way(self, way: str, reason: str, count: int) -> None:
        """Shows nothing."""

    def tick(self) -> None:
        """Shows nothing."""

    def close(self) -> None:
        """Shows nothing."""


class Recorder:
    """Keeps the events of one attempt, writes them to a log file and passes them on to the view.

    Args:
        view: What people see.
        log_file: The file that JSON lines are appended to; None for none.
        scrub: Removes credentials from a text.
    """

    def __init__(self, view: View, log_file: Path | None, scrub: Scrubber) -> None:
        self.view = view
        self.scrub = scrub
        self.started_at = now()
        self.steps: list[Event] = []
        self.built: list[str] = []
        self.missing: list[str] = []
        self.warned: list[str] = []  # what is missing and by `on_missing: warn` is not built
        self.plan: Event = {}
        self.status: Event = {}
        self.others: list[Event] = []  # of migrations and initial data
        self.migration: Event | None = None  # the one that is being applied or rolled back
        self.loading: Event | None = None  # the table whose initial data was last begun with
        self.checks: list[Event] = []  # of the health report
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.documents: dict[str, Event] = {}
        self.nodes: list[Event] = []
        self.started: dict[str, Event] = {}  # the nodes that are being built, by unique id
        self.seconds: dict[str, float] = {}
        self.completed = False
        self._log_file = log_file
        self._listeners: list[Listener] = []
        self._on_failure: Listener | None = None

    @property
    def running_step(self) -> str | None:
        """The name of the step that has started and not ended."""
        return next((str(step["name"]) for step in reversed(self.steps) if "completed_at" not in step), None)

    def event(self, event: Event) -> None:
        """Takes in one event, of the macros or the wrapper."""
        self._log(event)
        name = event.get("event")
        self.documents[str(name)] = event
        if name == "initialization_node_started":
            self.started[event["unique_id"]] = event
        elif name == "initialization_node_complete":
            self.nodes.append(event)
            self.started.pop(event["unique_id"], None)
        elif name == "initialization_node_skipped":
            self.started.pop(event["unique_id"], None)
        if name == "initialization_step_started":
            self.steps.append({"name": event["step_name"], "started_at": event["started_at"]})
        elif name == "initialization_step_complete":
            self._complete(event)
        elif name == "initialization_plan":
            self.plan = event
            self.missing = self.missing or [step["unique_id"] for step in event.get("steps", [])]
        elif name == "initialization_warned":
            self.warned = event["missing_tables_found"]
        elif name == "initialization_status":
            self.status = event
        elif name == "initialization_node_complete" and event.get("success"):
            self.built.append(event["unique_id"])
            self.seconds[event["unique_id"]] = float(event["duration_seconds"])
        elif name == "health_check":
            self.checks.append(self.scrub.document(event))
        elif name == "initialization_complete":
            self.completed = event.get("state") == "completed"
        elif str(name).startswith(("migration", "initial_data")):
            self.others.append(self.scrub.document(event))
            if name == "initial_data_loaded" and event.get("waiting"):
                self.warnings.append(waiting_text(event))
            if name == "initial_data_started":
                self.loading = event
            elif str(name).endswith("_started"):
                self.migration = event
            elif name in ("migration_complete", "migration_rolled_back"):
                self.migration = None
        self.view.event(event)

    @property
    def running_nodes(self) -> list[str]:
        """The nodes that are being built, such as `model orders (models/orders.sql)`."""
        steps = {step["unique_id"]: step for step in self.plan.get("steps", [])}
        return [
            f"{step['resource_type']} {step['name']} ({step['path']})"
            for unique_id in self.started
            if (step := steps.get(unique_id))
        ]

    def named(self, name: str) -> list[Event]:
        """Returns the events of migrations and initial data that have a name."""
        return [event for event in self.others if event["event"] == name]

    def start_step(self, name: str) -> None:
        """Starts a step of the wrapper itself."""
        self.event({"event": "initialization_step_started", "step_name": name, "started_at": iso(now())})

    def end_step(self, error: str | None = None) -> None:
        """Ends the step that is running, if any.

        Args:
            error: Why it failed; None when it succeeded.
        """
        step = next((step for step in reversed(self.steps) if "completed_at" not in step), None)
        if step is None:
            return
        started, end = _moment(step["started_at"]), now()
        event: Event = {
            "event": "initialization_step_complete",
            "step_name": step["name"],
            "started_at": step["started_at"],
            "completed_at": iso(max(end, started)),
            "duration_seconds": round(max(0.0, (end - started).total_seconds()), 3),
            "success": error is None,
        }
        if error is not None:
            event["error_message"] = error
        self.event(event)

    def listen(self, listeners: Sequence[Listener], on_failure: Listener | None) -> None:
        """Has listeners hear each event, and one the last of an attempt that failed; free of credentials."""
        from dbt_selfheal.report.listeners import calling

        self._listeners = [calling(listener) for listener in listeners]
        self._on_failure = calling(on_failure) if on_failure is not None else None

    def complete(self, state: str, way: str, error: InitializationError | None = None) -> None:
        """Tells the log and the listeners the last event of the attempt."""
        end = now()
        failure: Event = {}
        if error is not None:
            failure = {"error": error.message, "code": error.code, "step": error.step, "remedy": error.remedy}
        event = self._log(
            {
                "event": "initialization_complete",
                "state": state,
                "way": way,
                "missing_tables_found": self.missing,
                "tables_created": self.built,
                "started_at": iso(self.started_at),
                "completed_at": iso(end),
                "duration_seconds": round((end - self.started_at).total_seconds(), 3),
                **failure,
            }
        )
        if state == "failed" and self._on_failure is not None:
            self._on_failure(event)

    def _complete(self, event: Event) -> None:
        for step in reversed(self.steps):
            if step["name"] == event["step_name"] and "completed_at" not in step:
                step.update(completed_at=event["completed_at"], success=bool(event["success"]))
                if not step["success"]:
                    step["error_message"] = event.get("error_message") or "see the error of this attempt"
                elif step["name"] == "acquire_lock":
                    self._join_locks(step)
                return

    def _join_locks(self, step: Event) -> None:
        """Makes one step of the lock around the file and of that in the database, with the time of both."""
        first = next(each for each in self.steps if each["name"] == step["name"])
        if first is not step:
            took = _moment(step["completed_at"]) - _moment(step["started_at"])
            first["completed_at"] = iso(_moment(first["completed_at"]) + took)
            self.steps.remove(step)

    def _log(self, event: Event) -> Event:
        """Appends an event to the log file and tells it to the listeners; returns it as they have it."""
        if self._log_file is None and not self._listeners and self._on_failure is None:
            return event
        entry: Event = self.scrub.document({"logged_at": iso(now()), **event})
        if self._log_file is not None:
            text = json.dumps(entry, default=lambda value: self.scrub(str(value)))
            try:
                write_named(self._log_file, text + "\n", append=True)
            except OSError as error:
                self._without_log(self._log_file, error)
        for listener in self._listeners:
            listener(entry)
        return entry

    def _without_log(self, file: Path, error: OSError) -> None:
        """Says, once, that the log file cannot be written; the attempt goes on without it."""
        self._log_file = None
        self.warnings.append(f"the log file {file} cannot be written: {error.strerror}")
        self.view.note(f"Warning: {self.warnings[-1]}")


def waiting_text(event: Event) -> str:
    """Returns which rows of a table's initial data are not there, and what they wait for."""
    variables = ", ".join(event["variables"])
    return f"{event['table']}: {event['waiting']} rows of its initial data wait for the variable {variables}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def name_of(unique_id: str) -> str:
    """Returns the name in a unique id, with its version if it has one."""
    return "_".join(unique_id.split(".")[2:])
