"""Does a job with dbt v2 for the wrapper: each step is a process of the engine.

The argument names a file of JSON, as for runner.py; `program` is the engine, `carried` are arguments for
`dbt build` of the user's command, and with the mode `build` there are `steps`, those of a plan. All plans are
those of the macros.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from dbt_selfheal_supervisor import Reporter, start
from selfheal_engine import Engine, Record
from selfheal_engine_reads import entry, read_by
from selfheal_job import FailedError, do

SWITCH = "DBT_SELFHEAL_ENABLED"
PARTIAL = ("DBT_EMPTY", "DBT_SAMPLE")  # what is built is always whole
KINDS = ("seed", "snapshot", "model")
BUILT = (*KINDS, "function")


class EngineRunner:
    """One job.

    Args:
        request: See the top of this module.
        reporter: Where messages go.
    """

    def __init__(self, request: dict[str, Any], reporter: Reporter) -> None:
        self.request = request
        self.reporter = reporter
        self.engine = Engine(reporter)
        self._nodes: dict[str, Record] | None = None

    def run(self) -> None:
        """Does what the request asks for."""
        request = self.request
        if request["mode"] == "build":
            self.build(request["steps"])
            return
        if request.get("selection"):
            request["select"] = self.selected(request["selection"])
        if request.get("reads"):
            request["select"] = read_by(self, request["reads"])
            if not request["select"]:
                self.reporter.send("nodes", nodes=self.places(), required=[])
                return
        if request["mode"] == "status":
            self.operation("initialization_status")
        elif request["mode"] == "plan":
            steps = self.plan().get("steps", [])
            parents = {step["unique_id"]: self.parents(step["unique_id"]) for step in steps}
            way, reason = self.way(steps)
            self.reporter.send("graph", way=way, reason=reason, parents=parents)
        else:
            self.ensure()

    def ensure(self) -> None:
        """Plans, builds what is missing, and asks the macros again."""
        started = datetime.now(timezone.utc)
        plan = self.plan()
        steps = plan.get("steps", [])
        if not plan.get("enabled", True):
            return
        if steps and self.request.get("refuse"):
            raise FailedError
        way, reason = self.way(steps)
        if steps:
            self.reporter.send("way", way=way, reason=reason, count=len(steps))
        self.step("check_tables", lambda: None, started)
        if steps and way == "hook":  # by setting: it says what is missing, and with what it is built
            self.operation("ensure_initialized")
        elif steps:
            self.refuse_sources(plan)
            possible = [step for step in steps if not step["held_up_by"]]
            if possible:
                self.build(possible)
                self.step("verify", lambda: self.verify(possible))
            self.refuse(steps)
        self.reporter.send("nodes", nodes=self.places(), required=list(plan.get("required", [])))

    def refuse_sources(self, plan: Record) -> None:
        """Raises when what is to be built reads a source that is missing."""
        held_up = {step["unique_id"] for step in plan["steps"] if step["held_up_by"]}
        for source in plan.get("missing_sources", []):
            if source["stops"] and source["read_by"] not in held_up:
                self.error("missing source", f"dbt_selfheal: {source['message']}")

    def refuse(self, steps: Sequence[Record]) -> None:
        """Raises when some of the steps of a plan cannot be built, in the words of the macros."""
        lines = [
            f"  {step['resource_type']} {step['name']} ({step['path']}): {step['refusal']}"
            for step in steps
            if step["refusal"]
        ]
        if lines:
            count = sum(bool(step["held_up_by"]) for step in steps)
            first = f"{count} of {len(steps)} missing relations cannot be built from a hook:"
            self.error("refusal", "\n".join([f"dbt_selfheal: {first}", *lines]))

    def way(self, steps: Sequence[Record]) -> tuple[str, str]:
        """Returns how steps are built, and why."""
        if not steps:
            return "none", "nothing is missing"
        if not self.request.get("builds"):
            return "hook", "by setting"
        return "native", "dbt v2 builds nothing from a hook"

    def build(self, steps: Sequence[Record]) -> None:
        """Builds just these nodes by one `dbt build`, without their tests."""
        self.engine.steps = {step["unique_id"]: step for step in steps}
        threads = ["--threads", str(self.request["threads"])] if self.request.get("threads") else []
        # dbt takes a bare unique id for that node alone.
        command = ["build", "--exclude-resource-type", "test", "unit_test", *threads]
        command += [*self.request.get("carried", []), "--select", *self.engine.steps]
        try:
            self.invoke(*command, healing=False)
        finally:
            self.report_tiers()
            failed = [each for each in self.engine.finished if not each["success"]]
            self.engine.steps = {}
            for each in failed:
                self.drop(each)

    def drop(self, failed: Record) -> None:
        """Drops what a node that failed left of its table, which was missing before and is not whole.

        The engine makes the table of a seed and fills it in statements of their own: a row that cannot
        be loaded leaves a table with none; dbt v1 leaves none, and what exists counts as built.
        """
        if failed["resource_type"] == "seed":
            statement = f"drop table if exists {failed['relation']}"
            self.invoke("run-operation", "run_query", "--args", json.dumps({"sql": statement}), healing=False)

    def report_tiers(self) -> None:
        """Reports the steps load_seeds and build_foundation, each from its first start to its last end."""
        for name, is_seed in (("load_seeds", True), ("build_foundation", False)):
            nodes = [each for each in self.engine.finished if (each["resource_type"] == "seed") is is_seed]
            if nodes:
                first, last = min(e["started_at"] for e in nodes), max(e["completed_at"] for e in nodes)
                success = all(each["success"] for each in nodes)
                self.report_step(name, _moment(first), _moment(last), success=success)

    def verify(self, steps: Sequence[Record]) -> None:
        """Raises if the macros still miss something that was to be built."""
        built = {step["unique_id"] for step in steps}
        absent = [step["name"] for step in self.plan(quietly=True)["steps"] if step["unique_id"] in built]
        if absent:
            self.error("verify", f"built without an error, and yet not in the database: {', '.join(absent)}")

    def plan(self, *, quietly: bool = False) -> Record:
        """Returns the plan of the macros."""
        if quietly:
            before, self.engine.reporter = self.engine.reporter, _Errors(self.reporter)
            try:
                self.operation("initialization_plan")
            finally:
                self.engine.reporter = before
        else:
            self.operation("initialization_plan")
        return self.engine.events.get("initialization_plan", {})

    def operation(self, name: str) -> None:
        """Runs an operation of the package."""
        arguments = {"select": self.request["select"]} if self.request.get("select") else {}
        self.invoke("run-operation", name, "--args", json.dumps(arguments))

    def invoke(self, *arguments: str, healing: bool = True) -> None:
        """Runs the engine; raises FailedError if it does not succeed."""
        variables = {key: value for key, value in os.environ.items() if healing or key not in PARTIAL}
        if not healing:
            variables[SWITCH] = "false"
        command = [self.request["program"], *arguments, *self.request["arguments"]]
        if self.engine.run(command, variables=variables) != 0:
            raise FailedError

    def error(self, name: str, text: str) -> None:
        """Reports an error, and raises FailedError."""
        self.reporter.send("error", name=name, message=text)
        raise FailedError

    def step(self, name: str, action: Callable[[], None], started: datetime | None = None) -> None:
        """Does one step, with the events of its start and its end."""
        started = started or datetime.now(timezone.utc)
        success = False
        try:
            action()
            success = True
        finally:
            self.report_step(name, started, datetime.now(timezone.utc), success=success)

    def report_step(self, name: str, started: datetime, ended: datetime, *, success: bool) -> None:
        """Sends the events of a step's start and end."""
        seconds = round((ended - started).total_seconds(), 3)
        times = {"completed_at": _iso(ended), "duration_seconds": seconds, "success": success}
        self.engine.event("initialization_step_started", step_name=name, started_at=_iso(started))
        self.engine.event("initialization_step_complete", step_name=name, started_at=_iso(started), **times)

    # What is in the project, as `dbt ls` tells

    def nodes(
        self, selection: Sequence[str] = (), kinds: Sequence[str] = BUILT, more: Sequence[str] = ()
    ) -> dict[str, Record]:
        """Returns nodes by unique id: all, or those that a selection selects."""
        keys = ("unique_id", "name", "package_name", "fqn", "version", "depends_on", "database", "schema")
        types = [text for kind in kinds for text in ("--resource-type", kind)]
        command = [self.request["program"], "ls", "--quiet", "--output", "json"]
        command += ["--output-keys", *keys, "alias", "config", "resource_type", *more, *types, *selection]
        done = subprocess.run(
            [*command, *self.request["arguments"]], capture_output=True, text=True, check=False
        )
        if done.returncode:
            from selfheal_engine import plain

            kind = "selection" if selection else "error"
            self.reporter.send(kind, name="ls", message=plain((done.stderr or done.stdout)[-2000:]))
            raise FailedError
        lines = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
        return {node["unique_id"]: node for node in lines}

    def all_nodes(self) -> dict[str, Record]:
        """Returns all seeds, snapshots, models and functions, asked once."""
        if self._nodes is None:
            self._nodes = self.nodes()
        return self._nodes

    def selected(self, selection: Sequence[str]) -> list[str]:
        """Returns what a selection requires, as the macros take it; raises FailedError if that is nothing."""
        found = self.nodes(selection, KINDS)
        if not found:
            text = f"{' '.join(selection)} selects no enabled seed, snapshot or model"
            self.reporter.send("selection", message=text)
            raise FailedError
        return [entry(node) for node in found.values()]

    def parents(self, unique_id: str) -> list[str]:
        """Returns the seeds, snapshots, models and functions that a node reads, through ephemeral models."""
        known, found = self.all_nodes(), []
        queue = list(known[unique_id]["depends_on"]["nodes"])
        for parent in queue:
            if parent not in known or parent in found:
                continue
            if known[parent]["config"].get("materialized") == "ephemeral":
                queue += [each for each in known[parent]["depends_on"]["nodes"] if each not in queue]
            else:
                found.append(parent)
        return found

    def places(self) -> list[Record]:
        """Returns where the relations of all nodes are."""
        return [
            {
                "unique_id": unique_id,
                "kind": unique_id.split(".")[0],
                "database": node["database"],
                "schema": node["schema"],
                "name": node["alias"],
            }
            for unique_id, node in self.all_nodes().items()
            if node["config"].get("materialized") != "ephemeral"
        ]


class _Errors(Reporter):
    """Passes on errors alone."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def send(self, kind: str, **fields: Any) -> None:
        """Sends one JSON line if it is of an error."""
        if kind == "error":
            self._reporter.send(kind, **fields)


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def main() -> int:
    """Runs the request in the first argument; returns 0, or 1 when dbt failed."""
    runners: list[EngineRunner] = []

    def cancel() -> None:
        for runner in runners:
            runner.engine.cancel()

    def work(request: dict[str, Any], reporter: Reporter) -> None:
        runners.append(EngineRunner(request, reporter))
        runners[0].run()

    return do(start(cancel), work)


if __name__ == "__main__":
    sys.exit(main())
