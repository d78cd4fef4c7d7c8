"""A process of dbt v2, an engine that is one program: what it does is read from its telemetry, and reported.

The engine writes its telemetry, JSON lines, to the file that DBT_OTEL_FILE_NAME names; here that is a pipe.
So its log, its output and its colours stay as the user wants them. Like all in this folder nothing of
dbt_selfheal is imported.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dbt_selfheal_supervisor import HOOK_FAILED, OURS, Reporter

TELEMETRY = "DBT_OTEL_FILE_NAME"
SUCCESS = "NODE_OUTCOME_SUCCESS"
Record = dict[str, Any]
# What the engine puts around a message: where it was rendered, and the macros that led to it.
_BEFORE = re.compile(
    r"^(?:Failed to (?:render SQL|run operation)|Internal error)?:?\s*(?:invalid operation:\s*)?"
    r"(?:Not implemented: )?"
)
_AFTER = re.compile(r"\n\s*(?:\(in [^\n]*\)|-->[^\n]*|\d+: [^\n]*|at \./[^\n]*)(?=\n|$)")


class Engine:
    """Starts the engine, and reports what it does.

    Args:
        reporter: Where messages go.
        steps: The nodes whose start and end are events of healing, by unique id; None for none.
    """

    def __init__(self, reporter: Reporter, steps: Mapping[str, Record] | None = None) -> None:
        self.reporter = reporter
        self.steps = steps or {}
        self.events: dict[str, Record] = {}  # the last of each name
        self.finished: list[Record] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._passed = False

    def run(
        self,
        command: Sequence[str],
        *,
        variables: Mapping[str, str] | None = None,
        stdout: Any = None,
        stderr: Any = None,
        started: Callable[[], None] = lambda: None,
    ) -> int:
        """Runs it to its end.

        Args:
            command: The program and its arguments.
            variables: Its environment; None for that of this process.
            stdout: As for subprocess.Popen.
            stderr: As for subprocess.Popen.
            started: Called when it has started.

        Returns:
            The exit code, negative for a signal.
        """
        self._passed = False
        with _pipe() as (path, lines, done):
            told = {**(os.environ if variables is None else variables), TELEMETRY: path}
            try:
                self.process = subprocess.Popen(command, env=told, stdout=stdout, stderr=stderr)
            except OSError:
                done()
                raise
            started()
            reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
            reader.start()
            code = self.process.wait()
            done()
            reader.join(5)
        return code

    def cancel(self) -> None:
        """Asks it to end as Ctrl-C does, so that the database hears of it, and waits a little."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)

    def event(self, name: str, **fields: Any) -> None:
        """Sends an event in the form of the macros' events."""
        self.events[name] = fields
        self.reporter.send("event", event={"event": name, **fields})

    def _read(self, lines: Iterator[str]) -> None:
        for line in lines:
            with suppress(ValueError, KeyError, TypeError, AttributeError):  # a form that is not known
                self._record(json.loads(line))

    def _record(self, record: Record) -> None:
        """Reports what a record means."""
        kind, about = record["event_type"].rpartition(".")[2], record.get("attributes") or {}
        ended = record["record_type"] == "SpanEnd"
        if kind == "UserLogMessage":
            self._said(record["body"], about)
        elif kind == "LogMessage" and record["severity_text"] in ("WARN", "ERROR"):
            self._problem(record, about)
        elif kind == "NodeProcessed":
            self._node(record, about, ended)
        elif kind == "HookProcessed" and ended and about.get("package_name") == "dbt_selfheal":
            self.reporter.send("hook_ran")
        elif kind == "PhaseExecuted" and ended and about.get("phase") == "EXECUTION_PHASE_PARSE":
            self.reporter.send("parsed")
        elif kind == "Invocation" and not ended:
            version = (about.get("process_info") or {}).get("version")
            self.reporter.send("started", dbt_version=version)

    def _said(self, text: str, about: Record) -> None:
        event = _event(text)
        if event is not None:
            self.events[event["event"]] = event
            self.reporter.send("event", event=event)
        elif about.get("dbt_core_event_code") == "I062":
            self.reporter.send("line", text=text)

    def _problem(self, record: Record, about: Record) -> None:
        text = plain(record["body"])
        if record["severity_text"] == "WARN":
            if about.get("code_name") == "JinjaWarn":
                self.reporter.send("warning", message=text)
            return
        in_hook = about.get("phase") == "EXECUTION_PHASE_ON_RUN_START" or not self._passed
        name = HOOK_FAILED if in_hook and "dbt_selfheal" in text else str(about.get("code_name"))
        self.reporter.send("error", name=name, message=text)

    def _node(self, record: Record, about: Record, ended: bool) -> None:
        """Reports that a node has started, or how it ended."""
        unique_id = about["unique_id"]
        step, start = self.steps.get(unique_id), _time(record["start_time_unix_nano"])
        if not self._passed:
            self._passed = True
            self.reporter.send("hooks_passed")
        if not ended:
            if step is not None:
                self.event("initialization_node_started", unique_id=unique_id, started_at=start)
            return
        end, outcome = _time(record["end_time_unix_nano"]), about.get("node_outcome")
        seconds = (int(record["end_time_unix_nano"]) - int(record["start_time_unix_nano"])) / 1e9
        if step is None:
            status = "success" if outcome == SUCCESS else "error"
            self.reporter.send(
                "node", unique_id=unique_id, status=status, seconds=seconds, started_at=start, finished_at=end
            )
        elif outcome == "NODE_OUTCOME_SKIPPED":  # what a failed parent holds up has not been tried
            self.event("initialization_node_skipped", unique_id=unique_id)
        else:
            event = {
                "unique_id": unique_id,
                "resource_type": step["resource_type"],
                "relation": step["relation"],
                "started_at": start,
                "completed_at": end,
                "duration_seconds": round(seconds, 3),
                "success": outcome == SUCCESS,
            }
            self.finished.append(event)
            self.event("initialization_node_complete", **event)


def _event(text: str) -> Record | None:
    """Returns an event of the macros; None for another text. (The engine sorts the keys of JSON.)"""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    is_ours = isinstance(found, dict) and f'{{"event": "{found.get("event")}"'.startswith(OURS)
    return found if is_ours else None


def plain(text: str) -> str:
    """Returns a message of the engine without what it puts around it."""
    return _AFTER.sub("", _BEFORE.sub("", text.strip(), count=1)).strip()


@contextmanager
def _pipe() -> Iterator[tuple[str, Iterator[str], Callable[[], None]]]:
    """Yields a named pipe: its path, its lines, and what says that nobody writes any more."""
    with tempfile.TemporaryDirectory(prefix="dbt-selfheal-") as folder:
        path = str(Path(folder) / "telemetry")
        os.mkfifo(path)
        read = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(read, True)
        held = [os.open(path, os.O_WRONLY)]  # until the engine has opened it, there is a writer all the same

        def done() -> None:
            for descriptor in held:
                os.close(descriptor)
            held.clear()

        with os.fdopen(read, encoding="utf-8", errors="replace") as lines:
            try:
                yield path, lines, done
            finally:
                done()


def _time(nanoseconds: str) -> str:
    """Returns a time of the telemetry as ISO 8601 with a Z."""
    moment = datetime.fromtimestamp(int(nanoseconds) / 1e9, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
