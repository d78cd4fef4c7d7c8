"""The attempts before, and this one: a pause after repeated failures, and the record of what was done."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from datetime import datetime
from typing import Any

from dbt_selfheal.engine.interface import Engine, Job, missing_text
from dbt_selfheal.errors import (
    AnotherProcessError,
    ConcurrentInitializationError,
    ConfigurationError,
    DatabaseCorruptionError,
    DiskSpaceError,
    InitializationError,
    SelfHealError,
)
from dbt_selfheal.report.attempts import AttemptLog, in_a_line
from dbt_selfheal.report.recorder import Recorder, iso, name_of, now
from dbt_selfheal.workspace.project import Workspace, is_active

# Errors with which the database cannot be written to, so that its history is left alone.
OUT_OF_REACH = (ConfigurationError, DatabaseCorruptionError, DiskSpaceError, AnotherProcessError)
LAST_ATTEMPT = (
    "state", "command", "started_at", "completed_at", "duration_seconds", "step", "error_code", "error",
)  # fmt: skip


class Memory:
    """Remembers the attempts in a workspace.

    Args:
        recorder: What this attempt has done.
        engine: How it was done; also writes to the history in the database.
    """

    def __init__(self, recorder: Recorder, engine: Engine) -> None:
        self.recorder = recorder
        self.engine = engine

    def pause(self, workspace: Workspace) -> None:
        """Waits when attempts keep failing, so that a service that restarts does not hammer the database."""
        log = AttemptLog(workspace.state_folder)
        seconds = log.pause(now())
        if seconds:
            failed = log.failures(now())
            error = in_a_line(str(failed[-1].get("error")))
            self.recorder.view.note(
                f"{len(failed)} attempts in a row have failed within 10 minutes; waiting {seconds:.0f} s "
                f"before the next (--force skips this). The last error: {error}"
            )
            time.sleep(seconds)

    def last(self, workspace: Workspace) -> dict[str, Any] | None:
        """Returns the last attempt of this machine, None if there is none."""
        found = AttemptLog(workspace.state_folder).read()[-1:]
        return {key: found[0].get(key) for key in LAST_ATTEMPT} if found else None

    def keep(self, workspace: Workspace, command: str, error: InitializationError | None = None) -> None:
        """Keeps what this attempt did, when something was missing or it failed.

        Args:
            workspace: Where.
            command: What was called.
            error: Why it failed; None if it succeeded.
        """
        log = AttemptLog(workspace.state_folder)
        if isinstance(error, ConcurrentInitializationError):
            return
        was_missing = self.recorder.missing or self.recorder.warned
        if error is None and not was_missing and not log.failures(now()):
            return
        attempt = self._attempt(command, error)
        log.add(attempt)
        recorded = str(workspace.settings.get("history")).lower() == "true" and is_active(workspace)
        # A hook that succeeds has written to the history itself.
        wanted = error is not None or self.engine.messages.way == "native"
        if recorded and wanted and not isinstance(error, OUT_OF_REACH):
            operation = {"name": "dbt_selfheal._record_attempt", "arguments": {"attempt": attempt}}
            note = "Recording the attempt in the history"
            with suppress(SelfHealError):  # the database may be what has failed
                job = Job("operation", note=note, quiet=True, details={"operation": operation})
                self.engine.run(workspace, job)

    def _attempt(self, command: str, error: InitializationError | None) -> dict[str, Any]:
        """Returns what this attempt did, as it is kept."""
        recorder, way = self.recorder, self.engine.messages.way
        said = str(error) if error is not None else ""
        if error is None and recorder.warned:
            said = missing_text([name_of(unique_id) for unique_id in recorder.warned])
        return {
            "attempt_id": uuid.uuid4().hex,
            "state": "failed" if error is not None else "warned" if recorder.warned else "completed",
            "command": command,
            "way": way if way != "none" or not recorder.missing else "hook",
            "started_at": iso(recorder.started_at),
            "completed_at": iso(now()),
            "duration_seconds": round((now() - recorder.started_at).total_seconds(), 3),
            "missing": len(recorder.missing or recorder.warned),
            "built": len(recorder.built),
            "step": error.step if error is not None else None,
            "error_code": error.code if error is not None else "selfheal-missing" if said else None,
            "error": said[:2000] if said else None,
            "steps": [_with_seconds(step) for step in recorder.steps if "completed_at" in step],
            "nodes": [node for node in recorder.nodes if "completed_at" in node],
        }


def _with_seconds(step: dict[str, Any]) -> dict[str, Any]:
    """Returns a step as the history has it, with its duration."""
    start, end = (
        datetime.fromisoformat(step[key].replace("Z", "+00:00")) for key in ("started_at", "completed_at")
    )
    seconds = round((end - start).total_seconds(), 3)
    return {**step, "step_name": step["name"], "duration_seconds": seconds}
