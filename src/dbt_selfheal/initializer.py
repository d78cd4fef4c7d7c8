"""One attempt at an initialization, from preflight to result; what command line and API have in common."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dbt_selfheal.attempts import AttemptLog
from dbt_selfheal.dbt import HEALING, Dbt, find_dbt, option_of, subcommand
from dbt_selfheal.durations import Durations
from dbt_selfheal.errors import (
    AnotherProcessError,
    ConcurrentInitializationError,
    ConfigurationError,
    DatabaseCorruptionError,
    DiskSpaceError,
    InitializationError,
    InitializationTimeoutError,
    SelfHealError,
)
from dbt_selfheal.recorder import Recorder, Silent, View, iso, name_of, now
from dbt_selfheal.scrub import Scrubber
from dbt_selfheal.warm import WarmCheck
from dbt_selfheal.workspace import (
    DEFAULT_LOCK_TIMEOUT,
    DEFAULT_TIMEOUT,
    Options,
    Workspace,
    read_workspace,
    shown_path,
)

if TYPE_CHECKING:
    from dbt_selfheal.models import InitializationResult
    from dbt_selfheal.supervise import Supervised

NATIVE_FROM = 40
RUNNER = "runner.py"
LAST_ATTEMPT = (
    "state", "command", "started_at", "completed_at", "duration_seconds", "step", "error_code", "error",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What an attempt is asked to do."""

    options: Options = field(default_factory=Options)
    select: tuple[str, ...] = ()
    threads: int | None = None
    timeout: float | None = None
    lock_timeout: float | None = None
    min_free_mb: float | None = None
    log_file: Path | None = None
    dbt_output: bool = False
    force: bool = False


@dataclass
class Outcome:
    """How an attempt ended, without the models, which take time to import."""

    state: str
    way: str
    missing: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    present: int = 0
    seconds: float = 0.0


class Initializer:
    """One attempt.

    Args:
        request: What to do.
        view: What people see.
    """

    def __init__(self, request: Request, view: View | None = None) -> None:
        self.request = request
        self.view: View = view or Silent()
        self.recorder = Recorder(self.view, request.log_file, Scrubber())
        self.workspace: Workspace | None = None
        self.outcome = Outcome("not_started", "none")
        self._errors: list[str] = []
        self._nodes: dict[str, Any] | None = None
        self._hook_failed = False
        self._way = "none"

    def ensure(self) -> Outcome:
        """Makes sure that every required relation exists.

        Returns:
            The outcome.

        Raises:
            InitializationError: It failed; the class says how.
        """
        started = time.monotonic()
        with self._remembered("dbt-selfheal ensure"), self._attempt():
            workspace = self._read()
            if not is_active(workspace):
                self.outcome = Outcome("not_started", "off")
                return self.outcome
            self._pause(workspace)
            warm = WarmCheck(workspace, self.request.select)
            # With a record the answer is most likely "ready": what only building needs is checked later.
            known = warm.is_known()
            disk = None if known else self._preflight(workspace)
            self._make_folder(workspace)
            with self._lock(workspace):
                names = warm.ready_names()
                if names is not None:
                    self.outcome = Outcome("completed", "warm", present=len(names))
                else:
                    disk = self._preflight(workspace) if known else disk
                    self._check_file(workspace)
                    self._ensure_by_dbt(workspace, warm, disk)
            self.outcome.seconds = time.monotonic() - started
            self.recorder.complete(self.outcome.state, self.outcome.way)
        return self.outcome

    def plan(self) -> dict[str, Any]:
        """Returns the macros' plan; raises InitializationError as ensure does."""
        return self._ask("plan").plan

    def status(self) -> dict[str, Any]:
        """Returns the macros' status, `in_progress` while an initialization runs; raises as ensure does."""
        from dbt_selfheal.lock import holder, is_held, lock_file

        with self._attempt():
            workspace = self._read()
            lock, last = lock_file(workspace), AttemptLog(workspace.state_folder).read()[-1:]
            if lock is not None and is_held(lock):
                found: dict[str, Any] = {"state": "in_progress", "required": [], "lock_holder": holder(lock)}
            else:
                found = self._ask("status").status
        if not found.get("last_attempt") and last:
            found["last_attempt"] = {key: last[0].get(key) for key in LAST_ATTEMPT}
        return found

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
        if not changes:
            return self._ask("operation", operation=wanted)
        with self._attempt():
            workspace = self._read()
            self._preflight(workspace)
            with self._lock(workspace):
                self._check_file(workspace)
                self.recorder.end_step()
                self._run(workspace, "operation", None, operation=wanted)
        return self.recorder

    def health(self, *, tests: bool = True) -> dict[str, dict[str, Any]]:
        """Returns the macros' health (`health_report`) and, with `tests`, the results of the `data_tests`.

        Raises:
            InitializationError: The database could not be asked.
        """
        from dbt_selfheal.lock import holder, is_held, lock_file

        with self._attempt():
            lock = lock_file(self._read())
            if lock is not None and is_held(lock):
                raise ConcurrentInitializationError(lock, holder=holder(lock))
        return self._ask("health", tests=tests).documents

    def supervise(self, command: Sequence[str]) -> int:
        """Runs a dbt command that heals, and blocks its nodes when healing fails (FR-006).

        Args:
            command: The command, beginning with `dbt`.

        Returns:
            The command's own exit code once healing is done.

        Raises:
            InitializationError: Healing failed; no node has run.
        """
        with self._remembered(f"{Path(command[0]).name} {subcommand(list(command[1:]))}"), self._attempt():
            workspace = self._read()
            if not is_active(workspace):
                self.recorder.end_step()
                return self._supervised(command, workspace, None, lambda: None, limit=math.inf)
            self._pause(workspace)
            disk = self._preflight(workspace, find_dbt(shutil.which(command[0])))
            with self._lock(workspace) as release:
                self._check_file(workspace)
                self.recorder.end_step()
                return self._supervised(command, workspace, disk, release)

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
            way=self.outcome.way,
        )

    # The attempts before, and this one

    def _pause(self, workspace: Workspace) -> None:
        """Waits when attempts keep failing, so that a service that restarts does not hammer the database."""
        if self.request.force:
            return
        log = AttemptLog(workspace.state_folder)
        seconds = log.pause(now())
        if seconds:
            failed = log.failures(now())
            error = str(failed[-1].get("error")).splitlines()[0]
            self.view.note(
                f"{len(failed)} attempts in a row have failed within 10 minutes; waiting {seconds:.0f} s "
                f"before the next (--force skips this). The last error: {error}"
            )
            time.sleep(seconds)

    @contextmanager
    def _remembered(self, command: str) -> Iterator[None]:
        """Keeps what the attempt did, when something was missing or it failed."""
        try:
            yield
        except InitializationError as error:
            if self.workspace is not None and not isinstance(error, ConcurrentInitializationError):
                self._remember(self.workspace, command, error)
            raise
        if self.workspace is not None:
            log = AttemptLog(self.workspace.state_folder)
            if self.recorder.missing or log.failures(now()):
                self._remember(self.workspace, command, None)

    def _remember(self, workspace: Workspace, command: str, error: InitializationError | None) -> None:
        attempt = {
            "attempt_id": uuid.uuid4().hex,
            "state": "failed" if error is not None else "completed",
            "command": command,
            "way": self._way if self._way != "none" or not self.recorder.missing else "hook",
            "started_at": iso(self.recorder.started_at),
            "completed_at": iso(now()),
            "duration_seconds": round((now() - self.recorder.started_at).total_seconds(), 3),
            "missing": len(self.recorder.missing),
            "built": len(self.recorder.built),
            "step": error.step if error is not None else None,
            "error_code": error.code if error is not None else None,
            "error": str(error)[:2000] if error is not None else None,
            "steps": [_with_seconds(step) for step in self.recorder.steps if "completed_at" in step],
            "nodes": [node for node in self.recorder.nodes if "completed_at" in node],
        }
        AttemptLog(workspace.state_folder).add(attempt)
        out_of_reach = (ConfigurationError, DatabaseCorruptionError, DiskSpaceError, AnotherProcessError)
        recorded = str(workspace.settings.get("history")).lower() == "true" and is_active(workspace)
        if recorded and (error is not None or self._way == "native") and not isinstance(error, out_of_reach):
            with suppress(SelfHealError):  # the database may be what has failed
                self.request = replace(self.request, dbt_output=False)
                name = "dbt_selfheal._record_attempt"
                note = "Recording the attempt in the history"
                operation = {"name": name, "arguments": {"attempt": attempt}}
                self._run(workspace, "operation", None, note=note, operation=operation)

    # The steps

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        """Makes every error complete: without credentials, with its step, and in the log."""
        try:
            yield
        except InitializationError as error:
            error.message = self.recorder.scrub(error.message)
            error.args = (error.message,)
            error.remedy = self.recorder.scrub(error.remedy) if error.remedy else _default_remedy(error)
            error.step = error.step or self.recorder.running_step
            error.missing_tables = error.missing_tables or self._not_built()
            self.recorder.end_step(error.message)
            self.recorder.complete("failed", self._way, error.message)
            raise
        finally:
            self.view.close()

    def _not_built(self) -> list[str]:
        return [name_of(name) for name in self.recorder.missing if name not in self.recorder.built]

    def _read(self) -> Workspace:
        if self.workspace is None:
            self.recorder.start_step("preflight")
            self.workspace = read_workspace(self.request.options)
            self.recorder.scrub = Scrubber(self.workspace.output)
            self.view.state_folder = self.workspace.state_folder
            self.view.threads = self.request.threads or 1
        return self.workspace

    def _make_folder(self, workspace: Workspace) -> None:
        from dbt_selfheal.preflight import make_database_folder

        made = make_database_folder(workspace)
        if made is not None:
            self.view.note(f"Made the folder {shown_path(made)} for the database")

    def _preflight(self, workspace: Workspace, dbt: Dbt | None = None) -> DiskSpaceError | None:
        """Checks what needs no lock; returns the error of a disk too full for anything to be built."""
        from dbt_selfheal.preflight import check_disk, check_installation, check_seeds

        check_installation(workspace, dbt or find_dbt())
        self._make_folder(workspace)
        for warning in check_seeds(workspace):
            self.view.note(f"Warning: {warning}")
        disk = check_disk(workspace, self._min_free_mb)
        if disk is not None and workspace.database_file is not None and not workspace.database_file.exists():
            raise disk
        return disk

    @property
    def _min_free_mb(self) -> float:
        from dbt_selfheal.preflight import DEFAULT_MIN_FREE_MB

        if self.request.min_free_mb is not None:
            return self.request.min_free_mb
        given = os.environ.get("DBT_SELFHEAL_MIN_FREE_MB")
        try:
            return float(given) if given else DEFAULT_MIN_FREE_MB
        except ValueError:
            raise ConfigurationError(
                f"DBT_SELFHEAL_MIN_FREE_MB must be a number of megabytes, and is {given!r} (environment)",
                code="setting-wrong",
                remedy="Set it to a number, such as 100, or unset it.",
            ) from None

    @contextmanager
    def _lock(self, workspace: Workspace) -> Iterator[Callable[[], None]]:
        from dbt_selfheal.lock import hold, lock_file

        self.recorder.end_step()
        self.recorder.start_step("acquire_lock")

        def on_wait(holder: str) -> None:
            self.view.note(
                f"Another initialization is running ({holder}); waiting up to {self._lock_timeout:g} s"
            )

        with hold(lock_file(workspace), self._lock_timeout, on_wait) as release:
            yield release
            self.recorder.end_step()

    @property
    def _lock_timeout(self) -> float:
        if self.request.lock_timeout is not None or self.workspace is None:
            return (
                self.request.lock_timeout if self.request.lock_timeout is not None else DEFAULT_LOCK_TIMEOUT
            )
        return self.workspace.seconds("lock_timeout_seconds", DEFAULT_LOCK_TIMEOUT)

    @property
    def timeout(self) -> float:
        """The time limit of the initialization, in seconds."""
        if self.request.timeout is not None or self.workspace is None:
            return self.request.timeout if self.request.timeout is not None else DEFAULT_TIMEOUT
        return self.workspace.seconds("timeout_seconds", DEFAULT_TIMEOUT)

    def _check_file(self, workspace: Workspace) -> None:
        """Waits for another process to close a DuckDB file, then checks the file."""
        from dbt_selfheal.preflight import check_database, wait_for_file

        def on_wait(who: str) -> None:
            self.view.note(f"The database file is kept open by {who}; waiting up to {self._lock_timeout:g} s")

        if workspace.adapter == "duckdb":
            wait_for_file(workspace.database_file, self._lock_timeout, on_wait)
        check_database(workspace)

    def _ensure_by_dbt(self, workspace: Workspace, warm: WarmCheck, disk: DiskSpaceError | None) -> None:
        self.recorder.end_step()
        warm.observe()
        try:
            self._run(workspace, "ensure", disk)
        except InitializationError:
            if disk is not None and self.recorder.missing and not self.recorder.built and not self._errors:
                raise disk from None
            raise
        if not self.recorder.plan.get("enabled", True):
            self.outcome = Outcome("not_started", "off")
            return
        state = (
            "completed"
            if not self.recorder.missing or self._way == "native" or self.recorder.completed
            else "failed"
        )
        created = [name_of(unique_id) for unique_id in self.recorder.built]
        missing = [name_of(unique_id) for unique_id in self.recorder.missing]
        there = self.recorder.plan.get("present") or ()
        present = sum(1 for unique_id in there if unique_id not in self.recorder.missing)
        self.outcome = Outcome(state, self._way, missing, created, present)
        if state == "completed" and self._nodes is not None:
            warm.record(self._nodes["nodes"], self._nodes["required"])

    def _ask(self, mode: str, **more: Any) -> Recorder:
        """Runs an operation that builds nothing, and returns what it reported."""
        with self._attempt():
            workspace = self._read()
            self._preflight(workspace)
            self._check_file(workspace)
            self.recorder.end_step()
            self._run(workspace, mode, None, **more)
        return self.recorder

    # The processes

    def _run(
        self,
        workspace: Workspace,
        mode: str,
        disk: DiskSpaceError | None,
        *,
        note: str = "Starting dbt",
        **more: Any,
    ) -> None:
        """Runs dbt in a process of its own; raises InitializationError when it fails."""
        from dbt_selfheal.supervise import INSIDE, Supervised

        wanted: dict[str, Any] = {
            "mode": mode,
            "arguments": self.request.options.arguments(),
            "select": list(self.request.select),
            "threads": self.request.threads,
            "native_from": NATIVE_FROM if workspace.settings.get("on_missing", "build") == "build" else None,
            "refuse": disk is not None,
            "target_path": str(workspace.target_path),
            "initial_data": bool(workspace.settings.get("initial_data")),
            **more,
        }
        self.view.note(note)
        import tempfile

        with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile("w", suffix=".json") as request:
            json.dump(wanted, request)  # not as an argument: those are public, and may not be long
            request.flush()
            command = [find_dbt().python, str(INSIDE / RUNNER), request.name]
            process = Supervised(command, os.environ, output=None if self.request.dbt_output else output)
            code = self._follow(process, self._take_and_tell)
            self._learn(workspace)
            if code != 0:
                raise self._error(workspace, output)

    def _supervised(
        self,
        command: Sequence[str],
        workspace: Workspace,
        disk: DiskSpaceError | None,
        release: Callable[[], None],
        limit: float | None = None,
    ) -> int:
        from dbt_selfheal.supervise import FORWARDED, Supervised

        passed = False
        too_full = False

        def take(message: dict[str, Any]) -> bool:
            nonlocal passed, too_full
            self._take(message)
            done = message["kind"] == "hooks_passed" or self.recorder.completed
            if done and not passed:
                passed = True
                release()
            if disk is not None and self.recorder.missing and not passed:
                too_full = True
                process.end()
            return done

        process = Supervised(command, os.environ)
        before = {
            number: signal.signal(number, lambda number, _: process.forward(number)) for number in FORWARDED
        }
        try:
            code = self._follow(process, take, limit)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        self._learn(workspace)
        if too_full and disk is not None:
            raise disk
        if code > 0 and not passed and self._errors:
            error = self._error(workspace, None)
            ours = self.recorder.running_step or (error.code or "").startswith("migration")
            if self.recorder.missing or self._hook_failed or ours or error.exit_code != 1:
                raise error
            self.view.note(f"What to do: {error.remedy}")
        if code < 0:
            die_by(-code)
        return code

    def _follow(
        self,
        process: Supervised,
        on_message: Callable[[dict[str, Any]], bool | None],
        limit: float | None = None,
    ) -> int:
        """Follows a process to its end, within the time limit; ends it on every way out."""
        from dbt_selfheal.supervise import TimeIsUpError

        limit = self.timeout if limit is None else limit
        try:
            return process.run(on_message, limit, self.view.tick)
        except TimeIsUpError as up:
            elapsed = up.seconds
            error = InitializationTimeoutError(limit, elapsed, step=self.recorder.running_step)
            error.remedy = (
                "Run the same command again: what was built stays, what was half built is gone. "
                "Or raise the limit: --timeout, or vars.dbt_selfheal.timeout_seconds in dbt_project.yml."
            )
            raise error from None
        except BaseException:
            process.end()
            raise

    def _take(self, message: dict[str, Any]) -> bool:
        """Takes in a message of a process; returns whether the time limit is over and done with."""
        kind = message.get("kind")
        if kind == "event":
            self.recorder.event(message["event"])
        elif kind == "error":
            self._errors.append(self.recorder.scrub(str(message["message"])))
            self._hook_failed = self._hook_failed or message.get("name") == "DatabaseErrorRunningHook"
        elif kind == "line":
            self.recorder.lines.append(self.recorder.scrub(message["text"]))
        elif kind == "way":
            self._way = message["way"]
            self.view.way(message["way"], message["reason"], message["count"])
        elif kind == "nodes":
            self._nodes = message
        return False

    def _take_and_tell(self, message: dict[str, Any]) -> bool:
        """Takes in a message of a process whose own output is not shown."""
        if message.get("kind") == "line" and message["text"].startswith("  not created: "):
            self.view.note(self.recorder.scrub(message["text"].strip()))
        return self._take(message)

    def _learn(self, workspace: Workspace) -> None:
        """Takes down how long the nodes took."""
        if self.recorder.seconds:
            durations = Durations(workspace.state_folder)
            for unique_id, seconds in self.recorder.seconds.items():
                durations.learn(unique_id, seconds)
            durations.save()

    def _error(self, workspace: Workspace, output: BinaryIO | None) -> InitializationError:
        """Returns what the errors of a process mean."""
        from dbt_selfheal.remedies import error_from

        messages = list(self._errors)
        if not messages and output is not None:
            output.seek(0)
            messages = [self.recorder.scrub(output.read().decode("utf-8", "replace").strip()[-2000:])]
        return error_from(messages, workspace, step=self.recorder.running_step, node=self._failed_node())

    def _failed_node(self) -> dict[str, Any] | None:
        """Returns the migration that was being applied, or the step of the plan that was being built."""
        migration = self.recorder.migration
        if migration is not None:
            return {"resource_type": "migration", "name": migration["name"], "path": migration["path"]}
        if self._way == "native" or self.recorder.running_step not in ("load_seeds", "build_foundation"):
            return None
        steps = self.recorder.plan.get("steps", [])
        return next((step for step in steps if step["unique_id"] not in self.recorder.built), None)


def _with_seconds(step: dict[str, Any]) -> dict[str, Any]:
    """Returns a step as the history has it, with its duration."""
    start, end = (
        datetime.fromisoformat(step[key].replace("Z", "+00:00")) for key in ("started_at", "completed_at")
    )
    seconds = round((end - start).total_seconds(), 3)
    return {**step, "step_name": step["name"], "duration_seconds": seconds}


def switched_off() -> bool:
    """Returns whether the environment variable DBT_SELFHEAL_ENABLED switches healing off."""
    return os.environ.get("DBT_SELFHEAL_ENABLED", "").lower() in ("false", "0", "no", "off")


def is_active(workspace: Workspace) -> bool:
    """Returns whether healing is on: by setting, by environment variable, and in this target."""
    enabled = str(workspace.settings.get("enabled", True)).lower() != "false"
    given = workspace.settings.get("targets") or []
    targets = [given] if isinstance(given, str) else list(given)
    if any("{{" in str(target) for target in targets):
        targets = []  # dbt renders it, and the macros then say whether they are on
    return not switched_off() and enabled and (not targets or workspace.target in targets)


def heals(arguments: list[str]) -> bool:
    """Returns whether a dbt command with these arguments runs the hook that heals, or heals itself."""
    command = subcommand(arguments)
    if command == "run-operation":
        return "ensure_initialized" in arguments
    return command in HEALING and not {"--help", "-h", "--version"} & set(arguments)


def options_of(arguments: list[str], given: Options) -> Options:
    """Returns dbt's options: those in the arguments of a dbt command, else those given to the wrapper."""
    return Options(
        project_dir=option_of(arguments, "--project-dir") or given.project_dir,
        profiles_dir=option_of(arguments, "--profiles-dir") or given.profiles_dir,
        profile=option_of(arguments, "--profile") or given.profile,
        target=option_of(arguments, "--target", "-t") or given.target,
        target_path=option_of(arguments, "--target-path") or given.target_path,
        vars=option_of(arguments, "--vars") or given.vars,
    )


def die_by(number: int) -> None:
    """Ends this process by the signal that ended its child, so that callers see the same."""
    sys.stdout.flush()
    sys.stderr.flush()
    with suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    time.sleep(1)
    sys.exit(128 + number)


def _default_remedy(error: InitializationError) -> str:
    if isinstance(error, ConfigurationError):
        return "Correct what the message names, then run the same command again."
    return "Run the same command again."
