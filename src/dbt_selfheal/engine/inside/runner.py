"""Runs dbt for the wrapper, several invocations in one process with one parse; in the environment of dbt.

The argument names a file of JSON: `mode` (ensure, plan, status, operation, health), `operation` (its
`name` and `arguments`), `tests` (whether health runs data tests), `arguments` of dbt (project, target
...), `selection` (arguments of `dbt ls`: what it answers is required; empty for what the project
declares), `reads` (a command of dbt: what it reads is required; see selfheal_reads.py), `threads`,
`builds` (whether anything is built), `seconds` (how long nodes took before, by unique id), `migrations`
(whether the settings have them run), `initial_data` (whether the settings have any), `schema` (whether all
that an application's database needs is done: `validate` or `repair` of what exists comes between migrations
and building), `refuse` (whether nothing may be built), `target_path` (the folder of dbt's artifacts). All
plans are those of the macros. Nothing of dbt_selfheal is imported: it need not be installed here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dbt_selfheal_supervisor import Reporter, start
from selfheal_invocations import Invocations
from selfheal_job import FailedError, do
from selfheal_reads import read_by
from selfheal_selection import required
from selfheal_way import choice

SWITCH = "DBT_SELFHEAL_ENABLED"
# What is built is always whole: `dbt build` would take these as its --empty and --sample.
PARTIAL = tuple(f"DBT_{engine}{name}" for engine in ("", "ENGINE_") for name in ("EMPTY", "SAMPLE"))
BUILT = ("seed", "snapshot", "model", "function")


def selection(state: Path, unique_ids: list[str]) -> list[str]:
    """Returns arguments of dbt that select exactly these nodes, in a time that grows with the project only.

    In one way only dbt selects nodes by their unique id: as those that have failed in a run before. (With a
    selector for each node it looks at each node of the project for each of them.)

    Args:
        state: An empty folder, for those results.
        unique_ids: The nodes.
    """
    nothing = dict.fromkeys(("message", "failures", "compiled", "compiled_code", "relation_name"))
    result = {"status": "error", "timing": [], "thread_id": "", "execution_time": 0.0, "adapter_response": {}}
    content = {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"},
        "results": [{**result, **nothing, "unique_id": unique_id} for unique_id in unique_ids],
        "elapsed_time": 0.0,
        "args": {},
    }
    (state / "run_results.json").write_text(json.dumps(content))
    arguments = ["--select", "result:error", "--state", str(state)]
    given = os.environ.get("DBT_ENGINE_STATE") or os.environ.get("DBT_STATE")
    if given and not (os.environ.get("DBT_ENGINE_DEFER_STATE") or os.environ.get("DBT_DEFER_STATE")):
        arguments += ["--defer-state", given]
    return arguments


@contextlib.contextmanager
def healing_off() -> Iterator[None]:
    """Switches the package's hook off, for invocations in which it has nothing to do, and `--empty` too."""
    before = {name: os.environ.pop(name) for name in (SWITCH, *PARTIAL) if name in os.environ}
    os.environ[SWITCH] = "false"
    try:
        yield
    finally:
        del os.environ[SWITCH]
        os.environ.update(before)


class Runner:
    """One parse, then as many invocations as it takes.

    Args:
        request: See the top of this module.
        dbt: How dbt is invoked.
    """

    def __init__(self, request: dict[str, Any], dbt: Invocations) -> None:
        self.request = request
        self.dbt = dbt

    def run(self) -> None:
        """Does what the request asks for."""
        self.dbt.parse()
        if self.request.get("selection"):
            self.request["select"] = required(self.dbt, self.request["selection"])
        if self.request.get("reads"):
            self.request["select"] = read_by(self.dbt, self.request["reads"])
            if not self.request["select"]:
                self.dbt.reporter.send("nodes", nodes=self.nodes(), required=[])
                return
        mode = self.request["mode"]
        if mode == "status":
            self.dbt.operation("initialization_status")
        elif mode == "plan":
            self.dbt.operation("initialization_plan")
            steps = self.dbt.plan.get("steps", [])
            way, reason = self.way(steps)
            parents = {step["unique_id"]: self.parents(step["unique_id"]) for step in steps}
            self.dbt.reporter.send("graph", way=way, reason=reason, parents=parents)
        elif mode == "operation":
            wanted = self.request["operation"]
            if "select" in wanted["arguments"]:
                wanted["arguments"]["select"] = self.request["select"]
            self.dbt.invoke("run-operation", wanted["name"], "--args", json.dumps(wanted["arguments"]))
        elif mode == "health":
            self.health()
        else:
            self.ensure()

    def ensure(self) -> None:
        """Plans, builds by a hook's means or natively, and reports where the relations of the project are."""
        builds = self.request.get("builds")
        asked = self.request.get("migrations") or self.request.get("initial_data")
        if asked and not (self.dbt.has("run_migrations") and self.dbt.has("seed_initial_data")):
            self.dbt.operation("ensure_initialized")  # it says which package is not installed
        migrations, initial_data = self.has_migrations(), self.has_initial_data()
        if migrations and (builds or self.request.get("schema")) and not self.request.get("refuse"):
            self.dbt.invoke("run-operation", "run_migrations")  # what they make is not missing
        self.schema()
        started = datetime.now(timezone.utc)
        self.dbt.operation("initialization_plan")
        steps = self.dbt.plan.get("steps", [])
        if not self.dbt.plan.get("enabled", True):
            return
        if steps and self.request.get("refuse"):
            raise FailedError
        way = self.way(steps)
        if steps:
            self.dbt.reporter.send("way", way=way[0], reason=way[1], count=len(steps))
        if way[0] != "hook":  # else ensure_initialized reports this step itself
            self.dbt.step("check_tables", lambda: None, started)
        if way[0] == "native":
            if self.request.get("initial_data"):  # made up for by the next command should this one be killed
                self.dbt.invoke("run-operation", "_mark_rows_due")
            self.build_natively(steps)
            if initial_data:
                self.dbt.invoke("run-operation", "seed_initial_data")
        elif steps or initial_data or (migrations and not builds):
            self.dbt.operation("ensure_initialized")
        self.dbt.reporter.send("nodes", nodes=self.nodes(), required=list(self.dbt.plan.get("required", [])))

    def schema(self) -> None:
        """Compares what exists with what is declared, or repairs it, where that is asked for and possible."""
        wanted, adapter = self.request.get("schema"), self.dbt.manifest.metadata.adapter_type
        if wanted == "repair" and self.dbt.has(f"{adapter}___read_catalog"):
            arguments = {"apply": True, "select": self.request.get("select") or None}
            self.dbt.invoke("run-operation", "repair_schema", "--args", json.dumps(arguments))
        elif wanted and self.dbt.has(f"{adapter}___read_catalog"):
            self.dbt.step("validate_schema", lambda: self.dbt.operation("validate_schema"))

    def health(self) -> None:
        """Reports the macros' health, and the data tests on the required relations that exist."""
        self.dbt.operation("health_report")
        states = {entry["unique_id"]: entry["state"] for entry in self.dbt.report.get("required", [])}
        tests = [
            node
            for node in self.dbt.manifest.nodes.values()
            if node.resource_type == "test"
            and states.keys() & set(node.depends_on_nodes)
            and not any(states.get(parent) == "missing" for parent in node.depends_on_nodes)
        ]
        with healing_off():  # what is missing stays missing
            found = self.tests(tests) if tests and self.request.get("tests", True) else []
        self.dbt.event("data_tests", tests=found)

    def tests(self, nodes: list[Any]) -> list[dict[str, Any]]:
        """Runs data tests; returns id, status (pass, warn, fail, error), message and seconds of each."""
        from dbt.cli.main import dbtRunner

        for node in nodes:  # looking leaves no table of failures behind
            node.config.store_failures, node.config.store_failures_as = False, "ephemeral"
        runner = dbtRunner(manifest=self.dbt.manifest, callbacks=[])
        with tempfile.TemporaryDirectory() as state:
            arguments = selection(Path(state), [node.unique_id for node in nodes])
            result = runner.invoke(["test", *arguments, *self.request["arguments"]])
        if result.result is None:
            self.dbt.reporter.send("error", name="test", message=str(result.exception or "dbt test failed"))
            raise FailedError
        return [
            {
                "unique_id": each.node.unique_id,
                "name": each.node.name,
                "status": str(each.status),
                "message": each.message,
                "failures": each.failures,
                "seconds": round(each.execution_time, 3),
                "relations": [name for name in each.node.depends_on_nodes if not name.startswith("source.")],
            }
            for each in result.result.results
            if each.node.resource_type == "test"
        ]

    def way(self, steps: list[dict[str, Any]]) -> tuple[str, str]:
        """Returns hook or native, and why."""
        threads, refused = self.request.get("threads"), [step for step in steps if step.get("refusal")]
        if not steps:
            return "none", "nothing is missing"
        if not self.request.get("builds"):
            return "hook", "by setting"
        if cloned := [step["name"] for step in steps if step.get("cloned_from")]:
            return "hook", f"{cloned[0]} is cloned from another environment"
        if threads:
            return "native", f"--threads {threads}"
        if refused:
            return "native", f"{refused[0]['name']} cannot be built from a hook: {refused[0]['refusal']}"
        parents = {step["unique_id"]: self.parents(step["unique_id"]) for step in steps}
        return choice(parents, self.request["seconds"], self.dbt.threads(), len(self.dbt.manifest.nodes))

    def parents(self, unique_id: str) -> list[str]:
        """Returns the seeds, snapshots, models and functions that a node reads, through ephemeral models."""
        known = {**self.dbt.manifest.nodes, **(getattr(self.dbt.manifest, "functions", None) or {})}
        found, queue = [], list(known[unique_id].depends_on_nodes)
        for parent in queue:
            node = known.get(parent)
            if node is None or parent in found:
                continue
            if getattr(node, "is_ephemeral_model", False):
                queue += [each for each in node.depends_on_nodes if each not in queue]
            elif node.resource_type in BUILT:
                found.append(parent)
        return found

    def build_natively(self, steps: list[dict[str, Any]]) -> None:
        """Builds the steps of the plan with real dbt nodes, and asks the macros again."""
        with healing_off():  # the hook of this very invocation has nothing to do
            self.dbt.native = {step["unique_id"]: step for step in steps}
            try:
                self.build(steps)
            finally:
                self.report_tiers()
                self.dbt.native = None
        self.dbt.step("verify", self.verify)

    def build(self, steps: list[dict[str, Any]]) -> None:
        """Builds nodes by `dbt build`, without their tests, and keeps its run_results.json."""
        arguments = [text for kind in BUILT[: self.kinds()] for text in ("--resource-type", kind)]
        if self.request.get("threads"):
            arguments += ["--threads", str(self.request["threads"])]
        with tempfile.TemporaryDirectory() as state:
            arguments += selection(Path(state), [step["unique_id"] for step in steps])
            try:
                self.dbt.invoke("build", *arguments)
            finally:
                folder, name = Path(self.request["target_path"]), "run_results.json"
                with contextlib.suppress(OSError):
                    kept = folder / "dbt_selfheal" / name
                    kept.parent.mkdir(exist_ok=True)
                    if not kept.parent.is_symlink():  # nor is a link at its own place followed
                        kept.unlink(missing_ok=True)
                        with kept.open("xb") as file:
                            file.write((folder / name).read_bytes())

    def report_tiers(self) -> None:
        """Reports the steps load_seeds and build_foundation, each from its first start to its last end."""
        for name, is_seed in (("load_seeds", True), ("build_foundation", False)):
            nodes = [event for event in self.dbt.finished if (event["resource_type"] == "seed") is is_seed]
            if nodes:
                first, last = min(e["started_at"] for e in nodes), max(e["completed_at"] for e in nodes)
                seconds = (
                    datetime.fromisoformat(last[:-1]) - datetime.fromisoformat(first[:-1])
                ).total_seconds()
                self.dbt.event("initialization_step_started", step_name=name, started_at=first)
                self.dbt.event(
                    "initialization_step_complete",
                    step_name=name,
                    started_at=first,
                    completed_at=last,
                    duration_seconds=round(seconds, 3),
                    success=all(event["success"] for event in nodes),
                )

    def verify(self) -> None:
        """Raises if the macros still miss something that was to be built."""
        built = {step["unique_id"] for step in self.dbt.plan.get("steps", [])}
        self.dbt.operation("initialization_plan", quietly=True)
        absent = [step["name"] for step in self.dbt.plan.get("steps", []) if step["unique_id"] in built]
        if absent:
            text = f"built without an error, and yet not in the database: {', '.join(absent)}"
            self.dbt.reporter.send("error", name="verify", message=text)
            raise FailedError

    def kinds(self) -> int:
        """Returns how many of BUILT this dbt knows: functions came with 1.11."""
        return 4 if hasattr(self.dbt.manifest, "functions") else 3

    def nodes(self) -> list[dict[str, Any]]:
        """Returns where the relations of all nodes are, by the manifest."""
        found = []
        for node in self.dbt.manifest.nodes.values():
            if node.resource_type in BUILT and not getattr(node, "is_ephemeral_model", False):
                kind = "function" if node.config.materialized == "table_function" else str(node.resource_type)
                found.append(
                    {
                        "unique_id": node.unique_id,
                        "kind": kind,
                        "database": node.database,
                        "schema": node.schema,
                        "name": node.alias,
                    }
                )
        functions = getattr(self.dbt.manifest, "functions", None) or {}
        found += [{"unique_id": unique_id, "kind": "function"} for unique_id in functions]
        more = self.has_migrations() or self.has_initial_data()
        return [*found, {"unique_id": "migrations or initial data", "kind": "function"}] if more else found

    def has_migrations(self) -> bool:
        """Returns whether migrations run by setting, and there are macros that are, or look like, some."""
        return bool(self.request.get("migrations")) and any(
            re.search("[.]migration_[_0-9]", unique_id) for unique_id in self.dbt.manifest.macros
        )

    def has_initial_data(self) -> bool:
        """Returns whether rows must exist: by the settings, or as the content of a marked seed."""
        if not self.dbt.has("seed_initial_data"):
            return False
        seeds = (node for key, node in self.dbt.manifest.nodes.items() if key.startswith("seed."))
        return bool(self.request.get("initial_data")) or any("selfheal" in node.config.meta for node in seeds)


def main() -> int:
    """Runs the request in the first argument; returns 0, or 1 when dbt failed."""

    def work(request: dict[str, Any], reporter: Reporter) -> None:
        from importlib.metadata import version

        reporter.send("started", dbt_version=version("dbt-core"))
        Runner(request, Invocations(request, reporter)).run()

    return do(start(), work)


if __name__ == "__main__":
    sys.exit(main())
