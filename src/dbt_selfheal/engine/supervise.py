"""A supervised process: its events, a hard time limit, and its end with all that it started."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

INSIDE = Path(__file__).parent / "inside"
CANCEL_SECONDS = 1.5
TERMINATE_SECONDS = 0.5
START_SECONDS = 600.0
FORWARDED = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
# Python's own process that frees semaphores says so when dbt is ended, which is what it is for.
NO_WARNING = "ignore:resource_tracker:UserWarning"
_END = {"kind": "end"}


class TimeIsUpError(Exception):
    """The time limit is over, and the process has been ended.

    Args:
        seconds: How long it took.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _whereabouts() -> dict[str, str]:
    """Returns who and where this is, for the history of migrations: Jinja can read nothing but variables."""
    import getpass
    import platform

    found = {"DBT_SELFHEAL_HOST": platform.node()}
    with suppress(OSError, KeyError, ImportError):  # a user number without a name, as in some containers
        found["DBT_SELFHEAL_USER"] = getpass.getuser()
    return found


class Supervised:
    """A process in a process group of its own that reports events to this one.

    It ends when this process dies, however that happens: it watches a pipe that only this process holds open.

    Args:
        command: The program and its arguments.
        variables: Its environment.
        output: The descriptor or file for its standard output and error; None for this process's own.
        folder: Its working directory; None for this process's own.
    """

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        *,
        output: Any = None,
        folder: Path | None = None,
    ) -> None:
        events_read, events_write = os.pipe()
        lifeline_read, lifeline = os.pipe()
        self._lifeline: int | None = lifeline
        path = os.pathsep.join(filter(None, [str(INSIDE), variables.get("PYTHONPATH")]))
        warnings = ",".join(filter(None, [variables.get("PYTHONWARNINGS"), NO_WARNING]))
        try:
            self.process = subprocess.Popen(
                command,
                env={
                    **_whereabouts(),
                    **variables,
                    "PYTHONPATH": path,
                    "PYTHONWARNINGS": warnings,
                    "DBT_SELFHEAL_EVENTS_FD": str(events_write),
                    "DBT_SELFHEAL_LIFELINE_FD": str(lifeline_read),
                },
                stdin=subprocess.DEVNULL if output is not None else None,
                stdout=output,
                stderr=output,
                cwd=folder,
                pass_fds=(events_write, lifeline_read),
                start_new_session=True,
            )
        except BaseException:
            os.close(events_read)
            self._close_lifeline()
            raise
        finally:
            os.close(events_write)
            os.close(lifeline_read)
        self._queue: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._heard = False
        threading.Thread(target=self._read, args=(events_read,), daemon=True).start()

    def run(
        self,
        on_message: Callable[[dict[str, Any]], bool | None],
        limit: float,
        on_tick: Callable[[], None] = lambda: None,
    ) -> int:
        """Handles messages until the process ends.

        Args:
            on_message: Called with each message; when it returns True the limit no longer applies.
            limit: When to end the process, in seconds from when dbt has read the project, or the package has
                done its first thing. What comes before has START_SECONDS, or the limit if that is more.
            on_tick: Called at least ten times a second.

        Returns:
            The exit code, negative for a signal.

        Raises:
            TimeIsUpError: The time limit is over; the process and all that it started have been ended.
        """
        since = time.monotonic()
        deadline: float | None = since + max(limit, START_SECONDS)
        begun = False
        while True:
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                self.end()
                raise TimeIsUpError(time.monotonic() - since)
            wait = 0.1 if deadline is None else min(0.1, deadline - now)
            with suppress(queue.Empty):
                message = self._queue.get(timeout=max(wait, 0.001))
                if not begun and message.get("kind") in ("event", "parsed"):
                    begun, since = True, now
                    deadline = since + limit
                if message is not _END and on_message(message):
                    begun, deadline = True, None
                if message is not _END:
                    continue
            on_tick()
            if self.process.poll() is not None and self._queue.empty():
                return self._drained(on_message)

    def _drained(self, on_message: Callable[[dict[str, Any]], bool | None]) -> int:
        """Handles what the process sent last, and returns its exit code."""
        end = time.monotonic() + 0.5
        while time.monotonic() < end and not self._closed.is_set():
            self._closed.wait(0.05)
        with suppress(queue.Empty):
            while True:
                message = self._queue.get_nowait()
                if message is not _END:
                    on_message(message)
        code = self.process.returncode
        self._close_lifeline()
        return code if code is not None else 1

    def forward(self, number: int) -> None:
        """Sends a signal to the process and to all that it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def end(self) -> None:
        """Ends the process: first its statements in the database, then it and all that it has started."""
        if self._lifeline is not None:
            with suppress(OSError):
                os.write(self._lifeline, b"c")
        # Before it has reported anything it cannot react, and has nothing in the database to cancel.
        patience = CANCEL_SECONDS if self._heard else 0.0
        for number, seconds in ((None, patience), (signal.SIGTERM, TERMINATE_SECONDS)):
            if number is not None:
                self.forward(number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                break
        self.forward(signal.SIGKILL)  # also what the process, if it is gone, left behind
        self.process.wait()
        self._close_lifeline()

    def _close_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def _read(self, descriptor: int) -> None:
        """Turns lines into messages until the process, and all that holds its descriptor, has ended."""
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with suppress(ValueError):
                    message = json.loads(line)
                    if isinstance(message, dict):
                        self._heard = True
                        self._queue.put(message)
        self._closed.set()
        self._queue.put(_END)
