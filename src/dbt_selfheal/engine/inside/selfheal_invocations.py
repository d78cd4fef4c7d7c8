"""Invocations of dbt in this process: all with the manifest of one parse, and what is reported of each.

Like all in this folder it runs in the environment of dbt, where dbt_selfheal need not be installed.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from dbt_selfheal_supervisor import Reporter
from selfheal_job import FailedError


class Invocations:
    """Invokes dbt, and reports what it says.

    Args:
        request: See the top of runner.py.
        reporter: Where events go.
    """

    def __init__(self, request: dict[str, Any], reporter: Reporter) -> None:
        self.request = request
        self.reporter = reporter
        self.plan: dict[str, Any] = {}
        self.report: dict[str, Any] = {}
        self.manifest: Any = None
        self.native: dict[str, Any] | None = None  # the steps that dbt's own nodes are building
        self.finished: list[dict[str, Any]] = []
        self.quiet = False

    def parse(self) -> None:
        """Reads the project, once."""
        self.manifest = self.invoke("parse", "--no-write-json").result
        self.reporter.send("parsed")

    def has(self, operation: str) -> bool:
        """Returns whether some package has an operation: the second package need not be installed."""
        return any(unique_id.endswith(f".{operation}") for unique_id in self.manifest.macros)

    def threads(self) -> int:
        """Returns how many nodes dbt runs at once, by the profile."""
        from dbt.adapters.factory import get_adapter_by_type

        return int(get_adapter_by_type(self.manifest.metadata.adapter_type).config.threads or 1)

    def operation(self, name: str, *, quietly: bool = False) -> None:
        """Runs an operation of the package."""
        arguments = {"select": self.request["select"]} if self.request.get("select") else {}
        self.quiet = quietly
        try:
            self.invoke("run-operation", name, "--args", json.dumps(arguments))
        finally:
            self.quiet = False

    def invoke(self, command: str, *arguments: str) -> Any:
        """Invokes dbt; raises FailedError if it does not succeed."""
        from dbt.cli.main import dbtRunner

        runner = dbtRunner(manifest=self.manifest, callbacks=[self.callback])
        result = runner.invoke([command, *arguments, *self.request["arguments"]])
        if not result.success:
            if result.exception is not None:
                self.reporter.send(
                    "error", name=type(result.exception).__name__, message=str(result.exception)
                )
            raise FailedError
        return result

    def callback(self, message: Any) -> None:
        """Sees every event of dbt."""
        text = message.info.msg
        if text.startswith('{"event": "initialization_plan"'):
            self.plan = json.loads(text)
            if self.quiet:
                return
        if text.startswith('{"event": "health_report"'):
            self.report = json.loads(text)
        if message.info.name == "NodeFinished":
            if self.native is not None:
                self.native_node(message)
            return
        if message.info.name == "NodeStart" and self.native is not None:
            node = message.data.node_info
            if node.unique_id in self.native:
                started_at = _utc(node.node_started_at)
                self.event("initialization_node_started", unique_id=node.unique_id, started_at=started_at)
            return
        self.reporter.callback(message)

    def native_node(self, message: Any) -> None:
        """Reports a node that dbt itself has built, in the form of the macros' events."""
        node, result = message.data.node_info, message.data.run_result
        step = (self.native or {}).get(node.unique_id)
        if step is None:
            return
        success = str(result.status) in ("success", "pass")
        event = {
            "event": "initialization_node_complete",
            "unique_id": node.unique_id,
            "resource_type": step["resource_type"],
            "relation": step["relation"],
            "started_at": _utc(node.node_started_at),
            "completed_at": _utc(node.node_finished_at),
            "duration_seconds": round(result.execution_time, 3),
            "success": success,
        }
        self.finished.append(event)
        self.reporter.send("event", event=event)
        if not success:
            self.reporter.send(
                "error", name="NodeFinished", message=result.message or f"{step['name']} failed"
            )

    def step(self, name: str, action: Any, started: datetime | None = None) -> None:
        """Does one step, with the events of its start and its end."""
        started = started or datetime.now(timezone.utc)
        self.event("initialization_step_started", step_name=name, started_at=_iso(started))
        success = False
        try:
            action()
            success = True
        finally:
            now = datetime.now(timezone.utc)
            self.event(
                "initialization_step_complete",
                step_name=name,
                started_at=_iso(started),
                completed_at=_iso(now),
                duration_seconds=round((now - started).total_seconds(), 3),
                success=success,
            )

    def event(self, name: str, **fields: Any) -> None:
        """Sends an event in the form of the macros' events."""
        self.reporter.send("event", event={"event": name, **fields})


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(text: str) -> str | None:
    """Returns a time of dbt, which has no time zone and is UTC, as ISO 8601 with a Z."""
    return _iso(datetime.fromisoformat(text).replace(tzinfo=timezone.utc)) if text else None
