"""What the dbt processes of an attempt have reported, and what their errors mean."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from dbt_selfheal.errors import ConfigurationError, InitializationError
from dbt_selfheal.report.durations import Durations
from dbt_selfheal.report.recorder import Recorder
from dbt_selfheal.workspace.project import Workspace

_RESULT = re.compile(r"Log\w+Result")


class Messages:
    """Takes in the messages of dbt processes; events go on to the recorder.

    Args:
        recorder: Keeps the events.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.way = "none"
        self.errors: list[str] = []
        self.hook_failed = False
        self.hooks_passed = False  # a node has started
        self.hook_ran: bool | None = None  # whether the package's own did; None: the engine does not tell
        self.nodes: list[dict[str, Any]] | None = None  # where the relations of the project are
        self.required: list[str] = []
        self.selection: str | None = None  # what is wrong with the selection
        self.graph: dict[str, Any] = {}  # of a plan: what each step reads, and how it would be built

    def take(self, message: dict[str, Any]) -> bool:
        """Takes in a message; returns False: none of them ends the time limit by itself."""
        kind = message.get("kind")
        if kind == "event":
            self.recorder.event(message["event"])
        elif kind == "error" and _RESULT.fullmatch(str(message.get("name"))):
            pass  # dbt's line `1 of 2 ERROR creating ...`, beside the error itself
        elif kind == "error":
            self.errors.append(self.recorder.scrub(str(message["message"])))
            self.hook_failed = self.hook_failed or message.get("name") == "DatabaseErrorRunningHook"
        elif kind == "hooks_passed":
            self.hooks_passed = True
        elif kind == "hook_ran":
            self.hook_ran = True
        elif kind == "line":
            self.recorder.lines.append(self.recorder.scrub(message["text"]))
        elif kind == "warning":
            self.recorder.warnings.append(self.recorder.scrub(message["message"]))
        elif kind == "way":
            self.way = message["way"]
            self.recorder.view.way(message["way"], message["reason"], message["count"])
        elif kind == "selection":
            self.selection = self.recorder.scrub(str(message["message"]))
        elif kind == "graph":
            self.graph = message
        elif kind == "nodes":
            self.nodes, self.required = message["nodes"], message["required"]
        return False

    def take_and_tell(self, message: dict[str, Any]) -> bool:
        """Takes in a message of a process whose own output is not shown; returns False, as `take` does."""
        if message.get("kind") == "line" and message["text"].startswith("  not created: "):
            self.recorder.view.note(self.recorder.scrub(message["text"].strip()))
        return self.take(message)

    def way_of_a_command(self) -> str:
        """Returns how what a user's command reads was built: by its hook, natively, or none: it was there."""
        if not self.recorder.missing:
            return "none"
        return "native" if self.way == "native" else "hook"

    def learn(self, workspace: Workspace) -> None:
        """Takes down how long the nodes took."""
        if self.recorder.seconds:
            durations = Durations(workspace.state_folder)
            for unique_id, seconds in self.recorder.seconds.items():
                durations.learn(unique_id, seconds)
            durations.save()

    def are_ours(self) -> bool:
        """Returns whether one of the errors is the package's own, not one of dbt or of a database."""
        from dbt_selfheal.report.remedies import is_ours

        return any(is_ours(text) for text in self.errors)

    def error(self, workspace: Workspace, output: BinaryIO | None = None) -> InitializationError:
        """Returns what the errors of a process mean.

        Args:
            workspace: Where it ran.
            output: What it wrote, which counts if it has reported no error.
        """
        from dbt_selfheal.report.remedies import error_from

        if self.selection is not None:
            return ConfigurationError(
                self.selection,
                code="selfheal-selection-wrong",
                remedy="Correct it; `dbt ls --select ...` shows what a selection selects.",
            )
        messages = list(self.errors)
        if not messages and output is not None:
            output.seek(0)
            messages = [self.recorder.scrub(output.read().decode("utf-8", "replace").strip()[-2000:])]
        return error_from(messages, workspace, step=self.recorder.running_step, node=self._failed_node())

    def _failed_node(self) -> dict[str, Any] | None:
        """Returns the migration, the table's initial data or the step of the plan that was at work."""
        migration, loading = self.recorder.migration, self.recorder.loading
        if loading is not None and self.recorder.running_step == "load_initial_data":
            return {"resource_type": "initial data", "name": loading["table"], "path": loading["origin"]}
        if migration is not None:
            return {"resource_type": "migration", "name": migration["name"], "path": migration["path"]}
        steps = self.recorder.plan.get("steps", [])
        if self.way == "native":
            failed = {event["unique_id"] for event in self.recorder.nodes if not event["success"]}
            return next((step for step in steps if step["unique_id"] in failed), None)
        if self.recorder.running_step not in ("load_seeds", "build_foundation"):
            return None
        return next((step for step in steps if step["unique_id"] not in self.recorder.built), None)
