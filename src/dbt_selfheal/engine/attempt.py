"""One attempt at an initialization: its steps in order; what command line and API have in common."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt_selfheal.engine.interface import Engine, Job, Outcome, Request
from dbt_selfheal.engine.memory import Memory
from dbt_selfheal.engine.native import engine_for
from dbt_selfheal.engine.prepare import Preparation
from dbt_selfheal.errors import (
    ConcurrentInitializationError,
    InitializationError,
    SelfHealError,
)
from dbt_selfheal.report.durations import Durations
from dbt_selfheal.report.recorder import Recorder, Silent, View, name_of, now
from dbt_selfheal.report.scrub import Scrubber
from dbt_selfheal.warm.check import WarmCheck
from dbt_selfheal.workspace.dbt import find_dbt, subcommand
from dbt_selfheal.workspace.project import Workspace, is_active

if TYPE_CHECKING:
    from dbt_selfheal.models import InitializationResult


class Attempt:
    """One attempt.

    Args:
        request: What to do.
        view: What people see.
    """

    def __init__(self, request: Request, view: View | None = None) -> None:
        self.request = request
        self.recorder = Recorder(view or Silent(), request.log_file, Scrubber())
        self.recorder.listen(request.on_event, request.on_failure)
        self.engine: Engine = engine_for(request, self.recorder)
        self.memory = Memory(self.recorder, self.engine)
        self.preparation = Preparation(request, self.recorder)
        self.outcome = Outcome("not_started", "none")

    @property
    def workspace(self) -> Workspace | None:
        """The workspace; None until it is read."""
        return self.preparation.workspace

    # What can be asked for

    def ensure(self) -> Outcome:
        """Makes sure that every required relation exists.

        Returns:
            The outcome.

        Raises:
            InitializationError: It failed; the class says how.
        """
        started = time.monotonic()
        with self._remembered("dbt-selfheal ensure"), self._complete_errors():
            workspace = self.preparation.read()
            if not is_active(workspace):
                self.outcome = Outcome("not_started", "off")
                return self.outcome
            self._pause(workspace)
            warm = WarmCheck(workspace, _required_by(self.request), keep=not self.request.is_passing())
            self._check_before_the_lock(workspace, warm)
            with self.preparation.lock(workspace):
                self._check_tables(warm)
                if self.outcome.state != "completed":
                    self.preparation.check(workspace)
                    self.preparation.check_file(workspace)
                    self._build_and_verify(workspace, warm)
            self.outcome.seconds = time.monotonic() - started
            self.recorder.complete(self.outcome.state, self.outcome.way)
        return self.outcome

    def supervise(self, command: Sequence[str]) -> int:
        """Runs a dbt command that heals, and blocks its nodes when healing fails.

        Args:
            command: The command, beginning with `dbt`.

        Returns:
            The command's own exit code once healing is done.

        Raises:
            InitializationError: Healing failed; no node has run.
        """
        name = f"{Path(command[0]).name} {subcommand(list(command[1:]))}"
        self.engine = self.memory.engine = engine_for(self.request, self.recorder, shutil.which(command[0]))
        with self._remembered(name), self._complete_errors():
            workspace = self.preparation.read()
            if not is_active(workspace):
                self.recorder.end_step()
                return self.engine.supervise(workspace, command, limit=math.inf)
            self._pause(workspace)
            self.preparation.check(workspace, find_dbt(shutil.which(command[0])))
            with self.preparation.lock(workspace) as release:
                self.preparation.check_file(workspace)
                self.recorder.end_step()
                code = self.engine.supervise(workspace, command, disk=self.preparation.disk, release=release)
            ready = code == 0 or self.engine.messages.hooks_passed
            way = self.engine.messages.way_of_a_command()
            self.outcome = Outcome("completed" if ready else "not_started", way)
            return code

    def plan(self) -> dict[str, Any]:
        """Returns the macros' plan, with what only this side knows (`_with_ours`); raises as ensure does."""
        plan, graph = self._ask(Job("plan")).plan, self.engine.messages.graph
        plan = _with_ours(plan, graph, self.preparation.read(), self.preparation.disk)
        if self.request.selection():
            _say_selected(plan["steps"])
            plan["required"] = {name: _reason(reason) for name, reason in plan["required"].items()}
        return plan

    def status(self) -> dict[str, Any]:
        """Returns the macros' status, `in_progress` while an initialization runs; raises as ensure does."""
        with self._complete_errors():
            workspace = self.preparation.read()
            last, held = self.memory.last(workspace), self.preparation.held(workspace)
            if held is not None:
                found: dict[str, Any] = {"state": "in_progress", "required": [], "lock_holder": held.holder}
            else:
                found = self._ask(Job("status")).status
        if self.request.selection():
            _say_selected(found["required"])
        found.setdefault("pending_migrations", [])
        found["last_attempt"] = found.get("last_attempt") or last
        return found

    def health(self, *, tests: bool = True) -> dict[str, dict[str, Any]]:
        """Returns the macros' health (`health_report`) and, with `tests`, the results of the `data_tests`.

        Raises:
            InitializationError: The database could not be asked.
        """
        with self._complete_errors():
            held = self.preparation.held(self.preparation.read())
            if held is not None:
                raise held
        job = Job("health", operation="health_report", details={"tests": tests})
        return self._ask(job).documents

    def operation(
        self, name: str, arguments: Mapping[str, Any] | None = None, *, changes: bool = False
    ) -> Recorder:
        """Runs a macro as an operation.

        Args:
            name: The macro.
            arguments: Its arguments.
            changes: Whether it changes the database, so that the lock is needed.

        Returns:
            What the operation reported.

        Raises:
            InitializationError: It failed.
        """
        wanted = {"name": name, "arguments": dict(arguments or {})}
        job = Job("operation", operation=name, details={"operation": wanted})
        if not changes:
            return self._ask(job)
        with self._complete_errors():
            workspace = self.preparation.read()
            self.preparation.check(workspace, operation=job.operation)
            with self.preparation.lock(workspace):
                self.preparation.check_file(workspace)
                self.recorder.end_step()
                self.engine.run(workspace, job)
        return self.recorder

    def result(self, error: SelfHealError | None = None) -> InitializationResult:
        """Returns the result as a model."""
        from dbt_selfheal.models import InitializationResult, InitializationState, InitializationStep

        state = "failed" if error is not None else self.outcome.state
        end = now()
        return InitializationResult(
            state=InitializationState(state),
            started_at=self.recorder.started_at,
            completed_at=max(end, self.recorder.started_at),
            steps=[InitializationStep.named(**step) for step in self.recorder.steps],
            missing_tables_found=[name_of(unique_id) for unique_id in self.recorder.missing],
            tables_created=[name_of(unique_id) for unique_id in self.recorder.built],
            error=str(error) if error is not None else None,
            warnings=list(dict.fromkeys(self.recorder.warnings)),
            database_type=self.workspace.adapter if self.workspace is not None else "",
            way=self.outcome.way,
        )

    # The steps

    def _pause(self, workspace: Workspace) -> None:
        """Waits when attempts keep failing."""
        if not self.request.force:
            self.memory.pause(workspace)

    def _check_before_the_lock(self, workspace: Workspace, warm: WarmCheck) -> None:
        """Checks what only building needs, unless a record says that most likely all is there."""
        if warm.is_known():
            self.preparation.make_folder(workspace)
        else:
            self.preparation.check(workspace)

    def _check_tables(self, warm: WarmCheck) -> None:
        """Asks the database, without dbt, whether all is there; what is not certain is left to dbt."""
        names = warm.ready_names()
        if names is not None:
            self.outcome = Outcome("completed", "warm", present=len(names))

    def _build_and_verify(self, workspace: Workspace, warm: WarmCheck, **details: Any) -> None:
        """Lets dbt plan, build what is missing and look again; takes down that all is there."""
        recorder, messages, disk = self.recorder, self.engine.messages, self.preparation.disk
        recorder.end_step()
        warm.observe()
        try:
            self.engine.run(workspace, Job("ensure", refuse=disk is not None, details=details))
        except InitializationError:
            if disk is not None and recorder.missing and not recorder.built and not messages.errors:
                raise disk from None
            raise
        if not recorder.plan.get("enabled", True):
            self.outcome = Outcome("not_started", "off")
            return
        done = not recorder.missing or messages.way == "native" or recorder.completed
        created = [name_of(unique_id) for unique_id in recorder.built]
        missing = [name_of(unique_id) for unique_id in recorder.missing]
        there = recorder.plan.get("present") or ()
        present = sum(1 for unique_id in there if unique_id not in recorder.missing)
        self.outcome = Outcome("completed" if done else "failed", messages.way, missing, created, present)
        if done and messages.nodes is not None:
            warm.record(messages.nodes, messages.required)

    def _ask(self, job: Job) -> Recorder:
        """Does a job that builds nothing, without the lock, and returns what it reported."""
        with self._complete_errors():
            workspace = self.preparation.read()
            self.preparation.check(workspace, operation=job.operation)
            self.preparation.check_file(workspace)
            self.recorder.end_step()
            self.engine.run(workspace, job)
        return self.recorder

    # What holds around all steps

    @contextmanager
    def _remembered(self, command: str) -> Iterator[None]:
        """Keeps what the attempt did."""
        try:
            yield
        except InitializationError as error:
            if self.workspace is not None:
                self.memory.keep(self.workspace, command, error)
            raise
        if self.workspace is not None:
            self.memory.keep(self.workspace, command)

    @contextmanager
    def _complete_errors(self) -> Iterator[None]:
        """Makes every error complete: without credentials, with its step, and in the log."""
        try:
            yield
        except InitializationError as error:
            error.message = self.recorder.scrub(error.message)
            error.args = (error.message,)
            error.remedy = self.recorder.scrub(error.remedy)
            error.step = error.step or self.recorder.running_step
            error.missing_tables = error.missing_tables or _not_built(self.recorder)
            self.recorder.end_step(error.message)
            self.recorder.complete("failed", self.engine.messages.way, error)
            raise
        finally:
            self.recorder.view.close()


def _not_built(recorder: Recorder) -> list[str]:
    return [name_of(name) for name in recorder.missing if name not in recorder.built]


def required_relations(attempt: Attempt) -> list[dict[str, Any]]:
    """Returns each required relation, and whether it exists.

    Raises:
        ConcurrentInitializationError: An initialization is running, so that it cannot be told.
        InitializationError: dbt cannot tell.
    """
    from dbt_selfheal.workspace.lock import lock_file

    status = attempt.status()
    found: list[dict[str, Any]] = status.get("required", [])
    file = lock_file(attempt.workspace) if attempt.workspace is not None else None
    if status["state"] == "in_progress" and not found and file is not None:
        raise ConcurrentInitializationError(file, holder=str(status.get("lock_holder") or ""))
    return found


def _required_by(request: Request) -> list[str]:
    """Returns what is required, for the key of the warm check."""
    return [json.dumps(request.reads)] if request.reads else request.selection()


def _say_selected(entries: Iterable[dict[str, Any]]) -> None:
    """Says of entries of a plan or a status that they are selected; to the macros they are declared."""
    for entry in entries:
        entry["reason"] = _reason(entry["reason"])


def _reason(reason: str) -> str:
    return "selected" if reason.startswith("declared required") else reason


def _with_ours(
    plan: dict[str, Any], graph: Mapping[str, Any], workspace: Workspace, disk: SelfHealError | None
) -> dict[str, Any]:
    """Returns a plan with what the macros do not know.

    Of each step: the nodes that it reads (`parents`), and the seconds that it took in earlier runs. Of the
    whole: how it would be built (`way`, `way_reason`), and why nothing would be (`blocked`).
    """
    durations, parents = Durations(workspace.state_folder), graph.get("parents", {})
    steps = [
        {**step, "parents": parents.get(name, []), "expected_seconds": durations.of(name)}
        for step in plan.get("steps", [])
        for name in (step["unique_id"],)
    ]
    on_missing, blocked = workspace.settings.get("on_missing", "build"), None
    if steps and not plan.get("enabled", True):
        blocked = "healing is off, by setting or in this target"
    elif steps and on_missing not in ("build", "clone"):
        blocked = f"vars.dbt_selfheal.on_missing is {on_missing}"
    elif stopping := [source for source in plan.get("missing_sources", []) if source["stops"]]:
        blocked = f"there is no source {stopping[0]['name']} ({stopping[0]['relation']})"
    elif steps and disk is not None:
        blocked = str(disk)
    ours = {"way": graph.get("way"), "way_reason": graph.get("reason"), "blocked": blocked}
    return {**plan, "steps": steps, **ours}
