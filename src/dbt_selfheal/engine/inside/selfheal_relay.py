"""Runs a user's command of dbt v2, reports what it does, and passes on its output, signals and exit code.

The argument names a file of JSON: `command`, and `held`: whether its output is kept back until its hooks have
passed. A command that stops because something is missing is run again: what it printed before is not shown.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from dbt_selfheal_supervisor import Reporter, start
from selfheal_engine import Engine

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
PLAN = "initialization_plan"


class Held(Reporter):
    """Sends messages, and lets the output through as soon as it is known that the command goes on."""

    def __init__(self, reporter: Reporter, outputs: list[Output]) -> None:
        self._reporter = reporter
        self._outputs = outputs

    def send(self, kind: str, **fields: Any) -> None:
        """Sends one JSON line."""
        self._reporter.send(kind, **fields)
        if kind == "hooks_passed":
            for output in self._outputs:
                output.release()


class Output:
    """One of the command's outputs: a terminal if this process has one there, else a pipe.

    Args:
        descriptor: This process's own: 1 or 2.
        held: Whether what comes is kept back.
    """

    def __init__(self, descriptor: int, *, held: bool) -> None:
        self._descriptor = descriptor
        self._held: list[bytes] | None = [] if held else None
        self._lock = threading.Lock()
        self._read, self.write = pty.openpty() if os.isatty(descriptor) else os.pipe()
        if os.isatty(descriptor):
            self._copy_size()
        self._thread = threading.Thread(target=self._pump, daemon=True)

    def start(self) -> None:
        """Begins to read; the other end belongs to the command by now."""
        os.close(self.write)
        self._thread.start()

    def release(self) -> None:
        """Shows what has been kept back, and keeps no more."""
        with self._lock:
            kept, self._held = self._held or [], None
            for part in kept:
                self._show(part)

    def end(self, *, shown: bool) -> None:
        """Waits for the rest, and shows what has been kept back if that is wanted."""
        self._thread.join(5)
        if shown:
            self.release()

    def _pump(self) -> None:
        with suppress(OSError):  # a terminal whose other end is closed says so by an error
            while part := os.read(self._read, 65536):
                with self._lock:
                    if self._held is not None:
                        self._held.append(part)
                    else:
                        self._show(part)

    def _show(self, part: bytes) -> None:
        with suppress(OSError):  # nobody reads it any more: not a reason to end dbt
            while part:
                part = part[os.write(self._descriptor, part) :]

    def _copy_size(self) -> None:
        """Gives the command's terminal the size of this one."""
        import fcntl
        import termios

        size = fcntl.ioctl(self._descriptor, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(self.write, termios.TIOCSWINSZ, size)


def main() -> int:
    """Runs the command; returns its exit code, and dies by the signal that it died by."""
    request = json.loads(Path(sys.argv[1]).read_text())
    outputs = [Output(descriptor, held=request["held"]) for descriptor in (1, 2)]
    engine: Engine | None = None

    def cancel() -> None:
        if engine is not None:
            engine.cancel()

    reporter = start(cancel)
    if reporter is None:
        print("this script is started by dbt-selfheal", file=sys.stderr)  # noqa: T201
        return 2
    for number in FORWARDED:  # those are for the engine, which is in the same group
        signal.signal(number, lambda *_: None)
    engine = Engine(Held(reporter, outputs))

    def started() -> None:
        for output in outputs:
            output.start()

    code = engine.run(request["command"], stdout=outputs[0].write, stderr=outputs[1].write, started=started)
    stopped = code > 0 and bool(engine.events.get(PLAN, {}).get("steps"))
    for output in outputs:
        output.end(shown=not (request["held"] and stopped))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main())
