"""The engine of dbt v2: its hooks plan, and cannot build; what is missing is built by one `dbt build`."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from dbt_selfheal.engine.interface import Engine, Job, Request
from dbt_selfheal.engine.process import DbtProcesses
from dbt_selfheal.errors import (
    ConfigurationError,
    DiskSpaceError,
    InitializationError,
    InitializationTimeoutError,
)
from dbt_selfheal.report.recorder import Recorder, iso, now
from dbt_selfheal.workspace.dbt import Dbt, locate_dbt, option_of
from dbt_selfheal.workspace.project import Workspace, is_active

RELAY = "selfheal_relay.py"
REASON = "dbt v2 builds nothing from a hook"
# Of the user's command: what decides where the nodes that are built read, besides its target and the like.
WITH_VALUE = ("--threads", "--state", "--defer-state")
FLAGS = ("--defer", "--no-defer", "--favor-state", "--no-favor-state")


def engine_for(request: Request, recorder: Recorder, command: str | None = None) -> Engine:
    """Returns the engine for the dbt that is found; that of dbt v1 where none is, which then says so.

    Args:
        request: What the attempt is asked to do.
        recorder: Keeps what dbt reports.
        command: The dbt that will be run in any case; None for the one that is found.
    """
    try:
        dbt = locate_dbt(command)
    except ConfigurationError:
        return DbtProcesses(request, recorder)
    return DbtProcesses(request, recorder) if dbt.program is None else EngineProcesses(request, recorder, dbt)


class EngineProcesses(DbtProcesses):
    """Runs dbt v2 for one attempt.

    Args:
        request: What the attempt is asked to do.
        recorder: Keeps what dbt reports.
        dbt: Its program.
    """

    runner = "selfheal_engine_runner.py"

    def __init__(self, request: Request, recorder: Recorder, dbt: Dbt) -> None:
        super().__init__(request, recorder)
        self.dbt = dbt

    def run(self, workspace: Workspace, job: Job) -> None:
        """Does a job to its end; raises InitializationError when it fails, or needs dbt v1."""
        if job.mode in ("operation", "health"):
            version = self.dbt.version_of("dbt-core")
            raise ConfigurationError(
                f"{job.operation or job.mode} runs on dbt v1 only, and this is dbt {version}",
                code="selfheal-dbt-version",
                remedy='Use dbt-core 1.8 to 1.12 for it: pip install "dbt-core>=1.8,<2"',
            )
        super().run(workspace, job)

    def supervise(
        self,
        workspace: Workspace,
        command: Sequence[str],
        *,
        disk: DiskSpaceError | None = None,
        release: Callable[[], None] = lambda: None,
        limit: float | None = None,
    ) -> int:
        """Runs a user's command; where its hook stops it for what is missing, builds that, and runs it again.

        Arguments, result and errors as of Engine.supervise; a signal that ends the command ends this too.
        """
        started, limit = time.monotonic(), self.request.time_limit(workspace) if limit is None else limit
        began = iso(now())
        with _relay(command, held=True) as relay:
            seen = self._watch(workspace, relay, disk, release, limit)
        plan = self.recorder.plan
        steps = [step for step in plan.get("steps", ()) if not step["held_up_by"]]
        if seen.code <= 0 or seen.passed or seen.forwarded or not steps or not _builds(workspace):
            self._say_whether_checked(workspace, seen.passed)
            return self._end(workspace, seen)
        self._report_step("check_tables", began)
        try:
            self._heal(workspace, command, steps, max(0.1, limit - (time.monotonic() - started)))
        except InitializationTimeoutError as error:  # the limit is for all of it
            elapsed = time.monotonic() - started
            raise InitializationTimeoutError(limit, elapsed, step=error.step, nodes=error.nodes) from None
        self.recorder.start_step("verify")
        self.recorder.plan = {}
        self.messages.hooks_passed = False  # nodes have started, and those were not the command's

        def ready() -> None:
            self.recorder.end_step()
            self._say_ready(plan, time.monotonic() - started)
            release()

        with _relay(command, held=True) as relay:
            seen = self._watch(workspace, relay, None, ready, math.inf)
        tried = {step["unique_id"] for step in steps}
        lost = [step["name"] for step in self.recorder.plan.get("steps", ()) if step["unique_id"] in tried]
        if lost:
            raise InitializationError(
                f"built without an error, and yet not in the database: {', '.join(lost)}"
            )
        return self._end(workspace, seen)

    def _heal(
        self, workspace: Workspace, command: Sequence[str], steps: list[dict[str, Any]], limit: float
    ) -> None:
        """Builds the steps of a plan; raises InitializationError when that fails."""
        from dbt_selfheal.report.progress import Notes, view

        self.messages.errors.clear()  # so far only that something is missing
        self.messages.hook_failed = False
        before = self.recorder.view
        if isinstance(before, Notes):  # those stand beside dbt's output, which is not shown here
            self.recorder.view = view(quiet=False)
            self.recorder.view.state_folder, self.recorder.view.threads = before.state_folder, before.threads
            self.recorder.view.event(self.recorder.plan)
        way = {"kind": "way", "way": "native", "reason": REASON, "count": len(steps)}
        self.messages.take(way)
        details = {"steps": steps, "carried": carried(command)}
        try:
            super().run(workspace, Job("build", note="", details=details, limit=limit))
        finally:
            self.recorder.view.close()
            self.recorder.view = before

    def _wanted(self, workspace: Workspace, job: Job) -> dict[str, Any]:
        """Returns what the runner of this engine is told; see there."""
        return {"program": self.dbt.program, **super()._wanted(workspace, job)}

    def _report_step(self, name: str, started_at: str) -> None:
        """Takes down a step that has succeeded by now."""
        event = {"step_name": name, "started_at": started_at}
        self.recorder.event({"event": "initialization_step_started", **event})
        self.recorder.end_step()

    def _say_ready(self, plan: Mapping[str, Any], seconds: float) -> None:
        """Says that all is there now."""
        there = len(plan.get("present") or ())
        self.recorder.view.note(
            f"dbt-selfheal: ready in {seconds:.1f} s; {len(self.recorder.built)} built, "
            f"{there} there before and untouched"
        )

    def _say_whether_checked(self, workspace: Workspace, passed: bool) -> None:
        """Says so if the command's nodes began, and the hook that looks for what is missing did not run."""
        if passed and not self.messages.hook_ran and is_active(workspace):
            self.recorder.view.note(
                "Warning: the on-run-start hook of the package dbt_selfheal did not run, so nobody has "
                "looked whether all that this command reads is there. `dbt-selfheal ensure` looks."
            )


def carried(command: Sequence[str]) -> list[str]:
    """Returns the options of a user's command that the command that builds what is missing needs, too."""
    arguments = list(command[1:])
    pairs = [(name, option_of(arguments, name)) for name in WITH_VALUE]
    return [
        *(text for name, value in pairs if value is not None for text in (name, value)),
        *(flag for flag in FLAGS if flag in arguments),
    ]


@contextmanager
def _relay(command: Sequence[str], *, held: bool) -> Iterator[list[str]]:
    """Yields the command that runs a user's command, and reports what it does; see the relay inside."""
    import tempfile

    from dbt_selfheal.engine.supervise import INSIDE

    path = shutil.which(command[0])
    if path is None:
        raise FileNotFoundError(command[0])
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"command": [path, *command[1:]], "held": held}, file)
        file.flush()
        yield [sys.executable, str(INSIDE / RELAY), file.name]


def _builds(workspace: Workspace) -> bool:
    """Returns whether what is missing is to be built."""
    return workspace.settings.get("on_missing", "build") in ("build", "clone")
