"""The engine of dbt-core 1.x: a process with dbt and a part of ours in it, followed to its end."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dbt_selfheal.engine.interface import Job, Request
from dbt_selfheal.engine.messages import Messages
from dbt_selfheal.errors import DiskSpaceError, InitializationTimeoutError
from dbt_selfheal.report.durations import Durations
from dbt_selfheal.report.recorder import Recorder
from dbt_selfheal.workspace.dbt import find_dbt
from dbt_selfheal.workspace.project import Workspace

if TYPE_CHECKING:
    from dbt_selfheal.engine.supervise import Supervised

OnMessage = Callable[[dict[str, Any]], bool]


@dataclass
class Seen:
    """What was seen of a user's command: its exit code, whether its nodes began, the signals that came."""

    code: int = 1
    passed: bool = False
    forwarded: list[int] = field(default_factory=list)


@contextmanager
def kept(file: Path) -> Iterator[None]:
    """Puts a file back as it was, if it was there: `dbt retry` repeats the user's command, not one of ours.

    Args:
        file: dbt's run_results.json, which operations and builds of ours write too.
    """
    content = file.read_bytes() if file.is_file() else None
    try:
        yield
    finally:
        if content is not None and (not file.is_file() or file.read_bytes() != content):
            file.write_bytes(content)


class DbtProcesses:
    """Runs dbt for one attempt, each job in a process of its own.

    Args:
        request: What the attempt is asked to do.
        recorder: Keeps what dbt reports.
    """

    runner: ClassVar[str] = "runner.py"  # what does a job, inside

    def __init__(self, request: Request, recorder: Recorder) -> None:
        self.request = request
        self.recorder = recorder
        self.messages = Messages(recorder)

    def run(self, workspace: Workspace, job: Job) -> None:
        """Does a job to its end.

        Args:
            workspace: Where.
            job: What.

        Raises:
            InitializationError: It failed.
        """
        if job.note:
            self.recorder.view.note(job.note)
        import tempfile

        from dbt_selfheal.engine.supervise import INSIDE, Supervised

        with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            # Not as an argument: those are public, and may not be long.
            json.dump(self._wanted(workspace, job), file)
            file.flush()
            shown = self.request.dbt_output and not job.quiet
            command = [find_dbt().python, str(INSIDE / self.runner), file.name]
            process = Supervised(command, os.environ, output=None if shown else output)
            limit = self.request.time_limit(workspace) if job.limit is None else job.limit
            with kept(workspace.target_path / "run_results.json"):
                code = self._follow(process, self.messages.take_and_tell, limit)
            self.messages.learn(workspace)
            if code != 0:
                raise self.messages.error(workspace, output)

    def _wanted(self, workspace: Workspace, job: Job) -> dict[str, Any]:
        """Returns what the runner inside dbt's process is told; see there."""
        builds = workspace.settings.get("on_missing", "build") in {"build", "clone"}
        return {
            "mode": job.mode,
            "arguments": self.request.options.arguments(),
            "selection": self.request.selection(),
            "reads": self.request.reads,
            "threads": self.request.threads,
            "builds": builds,
            "seconds": Durations(workspace.state_folder).known(workspace.target_path / "run_results.json"),
            "refuse": job.refuse,
            "target_path": str(workspace.target_path),
            "migrations": str(workspace.settings.get("migrations")).lower() == "true",
            "initial_data": bool(workspace.settings.get("initial_data")),
            **job.details,
        }

    def supervise(
        self,
        workspace: Workspace,
        command: Sequence[str],
        *,
        disk: DiskSpaceError | None = None,
        release: Callable[[], None] = lambda: None,
        limit: float | None = None,
    ) -> int:
        """Runs a user's command of dbt, and ends it before its first node when healing fails.

        Arguments, result and errors as of Engine.supervise; a signal that ends the command ends this too.
        """
        limit = self.request.time_limit(workspace) if limit is None else limit
        return self._end(workspace, self._watch(workspace, command, disk, release, limit))

    def _watch(
        self,
        workspace: Workspace,
        command: Sequence[str],
        disk: DiskSpaceError | None,
        release: Callable[[], None],
        limit: float,
    ) -> Seen:
        """Follows a command to its end; raises `disk` as soon as something is missing."""
        from dbt_selfheal.engine.supervise import Supervised

        seen, too_full = Seen(), False

        def take(message: dict[str, Any]) -> bool:
            nonlocal too_full
            self.messages.take(message)
            done = message["kind"] == "hooks_passed" or self.recorder.completed
            if done and not seen.passed:
                seen.passed = True
                release()
            if disk is not None and self.recorder.missing and not seen.passed:
                too_full = True
                process.end()
            return done

        process = Supervised(command, os.environ)
        with _forwarding(process) as seen.forwarded:
            seen.code = self._follow(process, take, limit)
        self.messages.learn(workspace)
        if too_full and disk is not None:
            raise disk
        return seen

    def _end(self, workspace: Workspace, seen: Seen) -> int:
        """Ends as a command has ended; returns its exit code, raises if healing has failed."""
        if seen.code > 0 and seen.forwarded:  # dbt ends by itself: no error, and no attempt that failed
            sys.exit(128 + seen.forwarded[0])
        if seen.code > 0 and not self.messages.hooks_passed:
            self._raise_ours(workspace)
        if seen.code < 0:
            die_by(-seen.code)
        return seen.code

    def _raise_ours(self, workspace: Workspace) -> None:
        """Raises why a command failed before its first node if that is the package's; else says what to do.

        Once all is built, only what the package itself says or was doing is: its rows of initial data come
        after that, but so do the hooks of others.
        """
        if not self.messages.errors:
            return
        error = self.messages.error(workspace)
        if self.recorder.running_step or "-migration" in error.code or self.messages.are_ours():
            raise error
        if self.recorder.completed:
            return
        if self.recorder.missing or self.messages.hook_failed or error.exit_code != 1:
            raise error
        self.recorder.view.note(f"What to do: {error.remedy}")

    def _follow(self, process: Supervised, on_message: OnMessage, limit: float) -> int:
        """Follows a process to its end, within the time limit; ends it on every way out."""
        from dbt_selfheal.engine.supervise import TimeIsUpError

        try:
            return process.run(on_message, limit, self.recorder.view.tick)
        except TimeIsUpError as up:
            step, nodes = self.recorder.running_step, self.recorder.running_nodes
            raise InitializationTimeoutError(limit, up.seconds, step=step, nodes=nodes) from None
        except BaseException:
            process.end()
            raise


@contextmanager
def _forwarding(process: Supervised) -> Iterator[list[int]]:
    """Forwards signals to a process, and yields the list of those that came."""
    from dbt_selfheal.engine.supervise import FORWARDED

    came: list[int] = []

    def forward(number: int, _: object) -> None:
        came.append(number)
        process.forward(number)

    before = {number: signal.signal(number, forward) for number in FORWARDED}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def die_by(number: int) -> None:
    """Ends this process by the signal that ended its child, so that callers see the same."""
    sys.stdout.flush()
    sys.stderr.flush()
    with suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    time.sleep(1)
    sys.exit(128 + number)
