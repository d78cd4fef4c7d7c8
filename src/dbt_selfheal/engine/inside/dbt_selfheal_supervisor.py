"""The part of the wrapper that lives inside a dbt process.

dbt imports every module whose name begins with `dbt_`, and what such a module lists in `plugins` it starts
(see dbt/plugins/manager.py). The wrapper puts this folder on PYTHONPATH, so that it works in whatever
environment dbt is installed; for that reason nothing of dbt_selfheal is imported here. Without the two file
descriptors that the wrapper passes on it does nothing.

Events go to the wrapper as JSON lines. The other descriptor, the lifeline, ends dbt when the wrapper asks
for it or dies: first the statements that run in the database, then the process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

EVENTS = "DBT_SELFHEAL_EVENTS_FD"
LIFELINE = "DBT_SELFHEAL_LIFELINE_FD"
HOOK_FAILED = "DatabaseErrorRunningHook"
NODE_STARTED = "NodeStart"
OURS = tuple(
    f'{{"event": "{name}' for name in ("initialization_", "migration", "initial_data", "schema_", "health_")
)
CANCEL_SECONDS = 1.0


class Reporter:
    """Sends to the wrapper what it needs to know of dbt's events; `callback` is dbt's event callback."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._passed = False
        self._lock = threading.Lock()

    def send(self, kind: str, **fields: Any) -> None:
        """Sends one JSON line; a wrapper that is gone is none of dbt's business."""
        line = (json.dumps({"kind": kind, **fields}, default=str) + "\n").encode()
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                pass

    def callback(self, message: Any) -> None:
        """Looks at one event of dbt."""
        name, level, text = message.info.name, message.info.level, message.info.msg
        if text.startswith(OURS):
            self.send("event", event=json.loads(text))
        elif name == "JinjaLogInfo":
            self.send("line", text=text)
        elif name == "JinjaLogWarning":
            self.send("warning", message=text)
        elif name == HOOK_FAILED:
            self._hook_failed(message)
        elif name == NODE_STARTED and not self._passed:
            self._passed = True
            self.send("hooks_passed")
        elif name == "NodeFinished":
            node, result = message.data.node_info, message.data.run_result
            self.send(
                "node",
                unique_id=node.unique_id,
                status=result.status,
                message=result.message,
                seconds=result.execution_time,
                started_at=node.node_started_at,
                finished_at=node.node_finished_at,
            )
        elif level == "error" and text.strip():
            self.send("error", name=name, message=text)

    def _hook_failed(self, message: Any) -> None:
        """Stops dbt up to 1.8, which goes on to its nodes after a failed on-run-start hook."""
        error = sys.exc_info()[1]
        self.send("error", name=HOOK_FAILED, message=str(error or message.info.msg))
        if error is not None and message.data.hook_type == "on-run-start":
            raise error


def watch_lifeline(descriptor: int, cancel: Callable[[], None]) -> None:
    """Starts a thread that ends this process when the wrapper asks for it, or is gone.

    Args:
        descriptor: The lifeline.
        cancel: Ends what runs in the database, for which it has CANCEL_SECONDS.
    """

    def watch() -> None:
        try:
            asked = os.read(descriptor, 1)
        except OSError:
            asked = b""
        if asked == b"r":  # released: the wrapper is done and lets dbt live
            return
        worker = threading.Thread(target=cancel, daemon=True)
        worker.start()
        worker.join(CANCEL_SECONDS)
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGTERM if asked else signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="dbt-selfheal-lifeline", daemon=True).start()


def _cancel_statements() -> None:
    """Ends the statements that run in the database, as dbt does on Ctrl-C: on its own connections."""
    try:
        from dbt.adapters.factory import FACTORY

        for adapter in list(FACTORY.adapters.values()):
            with adapter.connection_named("dbt_selfheal_cancel"):
                adapter.cancel_open_connections()
    except BaseException:  # noqa: S110 (the process ends next, whatever happens here)
        pass


def descriptor_of(variable: str) -> int | None:
    """Returns the descriptor in an environment variable, which no process that dbt starts must see."""
    value = os.environ.pop(variable, "")
    return int(value) if value.isdigit() else None


def start(cancel: Callable[[], None] = _cancel_statements) -> Reporter | None:
    """Starts watching; returns what sends events, or None if no wrapper asked for it.

    Args:
        cancel: As of watch_lifeline.
    """
    events, lifeline = descriptor_of(EVENTS), descriptor_of(LIFELINE)
    if lifeline is not None:
        watch_lifeline(lifeline, cancel)
    return Reporter(events) if events is not None else None


def __getattr__(name: str) -> Any:
    """Makes the plugin when dbt asks for it, and only under a wrapper."""
    if name != "plugins" or not (EVENTS in os.environ or LIFELINE in os.environ):
        raise AttributeError(name)
    from dbt.plugins.manager import dbtPlugin
    from dbt_common.events.event_manager_client import add_callback_to_manager

    class Supervisor(dbtPlugin):  # type: ignore[misc]
        """Reports dbt's events to the wrapper."""

        def initialize(self) -> None:
            reporter = start()
            if reporter is not None:
                reporter.send("started", dbt_version=_dbt_version())
                add_callback_to_manager(reporter.callback)

    return [Supervisor]


def _dbt_version() -> str:
    from importlib.metadata import version

    return version("dbt-core")
