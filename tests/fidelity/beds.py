"""What the tests and the report share: beds that a fork server's dbt builds and heals, and what came of it.

``Beds`` makes one plain build of a project for all workers and one healed bed for each. ``HealedBed.compare``
holds a healed bed against the plain build, and keeps the result under ``target/fidelity`` for ``report.py``.
"""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from catalog import Difference, Facts, Snapshot, compared, differences, load, save
from filelock import FileLock
from ignores import IGNORES
from support import ROOT, DbtResult, DbtServer, Environment, PostgresServer, keep_result

TIMEOUT = 900.0
#: The large project of each adapter; the others (`overrides`, `refused`) come on top.
PROJECTS = {"duckdb": "testbed", "postgres": "testbed", "sqlite": "sqlite", "spark": "spark"}
#: Not a model or a test of that name, but read by tests alone.
TESTED = "tst_tested"
_DATABASE = "testbed_fidelity"


def version_of(environment: Environment, adapter: str) -> tuple[int, int]:
    """Major and minor version of dbt-core or of the adapter, whichever is older, as harness.dbt_version."""
    found = []
    for distribution in ("dbt-core", f"dbt-{adapter}"):
        major, minor = (environment.version_of(distribution) or "0.0").split(".")[:2]
        found.append((int(major), int(minor)))
    return min(found)


def leaves(project: str, adapter: str, version: tuple[int, int]) -> list[str]:
    """The names of a project's `leaf_*` models and tests for an adapter and a version, sorted."""
    found = set()
    for folder in [harness.PROJECTS / project, *harness.overlays(project, version)]:
        for path in folder.glob("*/**/leaf_*.sql"):
            parts = path.relative_to(folder).parts
            if "adapters" not in parts or adapter in parts:
                found.add(path.stem)
    return sorted(found)


class Runner:
    """Runs dbt by a fork server for harness.Bed; `last` is what the newest invocation returned and logged.

    Args:
        server: Where dbt runs.
        folder: Where the logs of the invocations are kept.
    """

    def __init__(self, server: DbtServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.last: DbtResult | None = None
        self._count = itertools.count(1)

    def __call__(
        self, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Runs one dbt command to its end."""
        logs = self.folder / f"{next(self._count):03}-{arguments[0]}"
        logs.mkdir(parents=True)
        environment = {
            **self.server.environment.variables(),
            **variables,
            "DBT_LOG_PATH": str(logs),
            "DBT_PARTIAL_PARSE": "true",  # the vars are the same in all commands of a bed
        }
        stdout, stderr = logs / "stdout", logs / "stderr"
        started = time.monotonic()
        process = self.server.start(
            arguments, folder=folder, variables=environment, stdout=stdout, stderr=stderr
        )
        code = process.wait(TIMEOUT)
        command = shlex.join(["dbt", *arguments])
        output, errors = stdout.read_text(errors="replace"), stderr.read_text(errors="replace")
        self.last = DbtResult(command, code, output, errors, time.monotonic() - started, logs)
        return subprocess.CompletedProcess(["dbt", *arguments], code, output, errors)


@dataclass(frozen=True)
class Comparison:
    """What a healed bed has and what a plain build of the same has.

    Attributes:
        line: `ADAPTER, dbt VERSION, PROJECT from SCOPE: N of N relations equal`.
        total: How many relations were compared.
        differences: Where they differ.
        lost: Relations that the healed nodes' hooks or materializations should have made in passing.
        healed: The unique ids of the nodes that the package has built.
    """

    line: str
    total: int
    differences: Sequence[Difference]
    lost: Sequence[str]
    healed: frozenset[str]

    def check(self) -> None:
        """Raises AssertionError with the first difference, both sides shown."""
        if self.differences:
            first, others = self.differences[0], len(self.differences) - 1
            sides = (
                str(first).replace("\n    left: ", "\n    built: ").replace("\n    right:", "\n    healed:")
            )
            raise AssertionError(f"{self.line}\n{sides}" + (f"\n(and {others} more)" if others else ""))
        assert not self.lost, (
            f"{self.line}\nhealed nodes did not leave what they make in passing: {self.lost}"
        )


class HealedBed:
    """A project with the package installed, and a database that can be emptied.

    Args:
        bed: The assembled project.
        runner: What runs its dbt.
        plain: What a plain build of the same project makes.
    """

    def __init__(self, bed: harness.Bed, runner: Runner, plain: Snapshot) -> None:
        self.bed = bed
        self.runner = runner
        self.plain = plain

    def empty(self) -> None:
        """Makes the database afresh."""
        harness.prepare(self.bed)

    def dbt(self, *arguments: str, check: bool = True) -> DbtResult:
        """Runs one dbt command."""
        self.bed.run(*arguments, check=check)
        assert self.runner.last is not None
        return self.runner.last

    def compare(self, result: DbtResult, scope: str, *, partial: bool = True) -> Comparison:
        """Holds what is there against the plain build.

        Args:
            result: The command that has healed.
            scope: What it was told to run, in words.
            partial: Whether relations of the plain build may be absent.
        """
        healed = self.bed.read()
        found = differences(self.plain, healed, IGNORES, partial)
        total = compared(self.plain, healed, partial)
        equal = total - len({difference.relation for difference in found})
        environment = self.runner.server.environment
        core, plugin = environment.dbt_version, environment.version_of(f"dbt-{self.bed.adapter}") or "?"
        line = f"{self.bed.adapter} {plugin}, dbt {core}, {self.bed.project} from {scope}"
        built = frozenset(
            event["unique_id"]
            for event in result.healing_events
            if event["event"] == "initialization_node_complete"
        )
        comparison = Comparison(
            line=f"{line}: {equal} of {total} relations equal",
            total=total,
            differences=found,
            lost=harness.lost_companions(self.plain, healed),
            healed=built,
        )
        content = {
            "adapter": self.bed.adapter,
            "adapter_version": plugin,
            "dbt_version": core,
            "project": self.bed.project,
            "scope": scope,
            "healed": sorted(built),
            "lost": list(comparison.lost),
            "relations": self._described(healed, built, found),
            "ephemerals": self._ephemerals(built),
        }
        keep_result(f"{self.bed.adapter}-{core}-{self.bed.project}-{scope}", content)
        return comparison

    def manifest(self) -> dict[str, Any]:
        """The nodes, tests and functions of the project by unique id, as dbt has written them."""
        content = json.loads((self.bed.project_dir / "target" / "manifest.json").read_text())
        return {**content["nodes"], **content.get("functions", {})}

    def _described(
        self, healed: Snapshot, built: Iterable[str], found: Iterable[Difference]
    ) -> dict[str, dict[str, Any]]:
        """What report.py tells of each relation that was compared."""
        manifest = self.manifest()
        nodes = {self._relation(node): node for node in manifest.values() if node.get("alias")}
        built = set(built)
        described: dict[str, dict[str, Any]] = {}
        for name, facts in healed.items():
            node = nodes.get(_node_name(facts))
            described[name] = {
                "kind": kind(node) if node else "made by a hook or a materialization in passing",
                "features": features(node, manifest) if node else [],
                "by": "healing" if node and node["unique_id"] in built else "command" if node else "passing",
                "differences": [],
            }
        for difference in found:
            entry = described.setdefault(
                difference.relation,
                {"kind": "only built", "features": [], "by": "passing", "differences": []},
            )
            entry["differences"].append(
                {"fact": difference.fact, "left": difference.left[:500], "right": difference.right[:500]}
            )
        return described

    def _relation(self, node: Mapping[str, Any]) -> str:
        name = f"{node['schema']}.{node['alias']}"
        return f"aux.{name}" if node.get("database") == "aux" else name

    def _ephemerals(self, built: Iterable[str]) -> int:
        """How many ephemeral models stand, directly or through each other, under what was healed."""
        manifest = self.manifest()
        queue, seen = list(built), set()
        while queue:
            for parent in manifest.get(queue.pop(), {}).get("depends_on", {}).get("nodes", []):
                node = manifest.get(parent)
                if node and node["config"].get("materialized") == "ephemeral" and parent not in seen:
                    seen.add(parent)
                    queue.append(parent)
        return len(seen)


class Beds:
    """Makes beds for one worker.

    Args:
        server: Where dbt runs.
        adapter: The adapter.
        folder: A folder of this worker.
        shared: A folder of all workers.
        postgres: Gives the PostgreSQL server, which is started only for that adapter.
    """

    def __init__(
        self,
        server: DbtServer,
        adapter: str,
        folder: Path,
        shared: Path,
        postgres: Callable[[], PostgresServer],
    ) -> None:
        self.adapter = adapter
        self.version = version_of(server.environment, adapter)
        self._server = server
        self._dbt = str(server.environment.folder / "bin" / "dbt")
        self._folder = folder
        self._shared = shared
        self._postgres = postgres
        self._healed: dict[str, HealedBed] = {}

    def leaves(self, project: str) -> list[str]:
        """The names of a project's leaves."""
        return leaves(project, self.adapter, self.version)

    def plain(self, project: str) -> Snapshot:
        """What a plain build of a project makes: built by the worker that asks first."""
        kept = self._shared / f"plain-{self.adapter}-{project}.json"
        with FileLock(f"{kept}.lock"):
            if not kept.exists():
                root = self._folder / f"plain-{project}"
                runner = Runner(self._server, root / "invocations")
                facts = harness.build(
                    root, self._dbt, self.adapter, project, self._connection(), self.version, runner
                )
                save(facts, kept)
        return load(kept)

    def healed(self, project: str) -> HealedBed:
        """A bed of the project with the package installed and an empty database."""
        if project not in self._healed:
            plain = self.plain(project)
            root = self._folder / f"healed-{project}"
            runner = Runner(self._server, root / "invocations")
            bed = harness.assemble(
                root,
                self._dbt,
                self.adapter,
                project,
                self._connection(),
                packages=[ROOT],
                version=self.version,
                runner=runner,
            )
            _allow_time(bed.project_dir / "dbt_project.yml")
            self._healed[project] = HealedBed(bed, runner, plain)
        self._healed[project].empty()
        return self._healed[project]

    def _connection(self) -> dict[str, Any]:
        if self.adapter != "postgres":
            return {}
        server = self._postgres()
        return {
            "host": str(server.folder),
            "port": server.port,
            "user": "postgres",
            "password": "",
            "dbname": _DATABASE,
        }


def _allow_time(project_file: Path) -> None:
    """Raises the limit of 60 seconds: Spark, and a machine that does other things too, take longer."""
    text = project_file.read_text()
    setting = "  dbt_selfheal: {timeout_seconds: 900}\n"
    text = (
        text.replace("\nvars:\n", f"\nvars:\n{setting}")
        if "\nvars:\n" in text
        else f"{text}\nvars:\n{setting}"
    )
    project_file.write_text(text)


def _node_name(facts: Facts) -> str:
    """The name under which the node that made it is looked up: functions without their arguments."""
    return re.sub(r"^(function|macro|table macro) ", "", facts.name).split("(")[0]


def kind(node: Mapping[str, Any]) -> str:
    """A node's kind in words: `seed`, `table model`, `incremental model, merge`, `snapshot, check`."""
    config = node["config"]
    if node["resource_type"] == "snapshot":
        return f"snapshot, {config.get('strategy')}"
    if node["resource_type"] == "test":
        return "stored results of a test"
    if node["resource_type"] != "model":
        return str(node["resource_type"])
    if config["materialized"] == "incremental":
        return f"incremental model, {config.get('incremental_strategy') or 'default strategy'}"
    if config["materialized"] in ("table", "view", "materialized_view", "external", "table_function"):
        return f"{config['materialized'].replace('_', ' ')} model"
    return "model by a materialization of the project or a package"


def features(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """What a relation has beside its kind, in the words of the report."""
    config = node["config"]
    parents = [manifest.get(parent) for parent in node.get("depends_on", {}).get("nodes", [])]
    root = next(iter(manifest.values()))["fqn"][0]
    found = {
        "reads ephemeral models": any(
            parent and parent["config"].get("materialized") == "ephemeral" for parent in parents
        ),
        "contract enforced": bool(config.get("contract", {}).get("enforced")),
        "documentation persisted as comments": any((config.get("persist_docs") or {}).values()),
        "indexes by configuration": bool(config.get("indexes")),
        "grants": bool(config.get("grants")),
        "pre- or post-hooks": bool(config.get("pre-hook") or config.get("post-hook")),
        "version of a versioned model": node.get("version") is not None,
        "node of a package": node["package_name"] != root and node["package_name"] != "dbt_selfheal",
        "in a second database": node.get("database") == "aux",
        "column types by configuration": bool(config.get("column_types")),
        "column names quoted by configuration": bool(config.get("quote_columns")),
        "partitions": bool(config.get("partition_by")),
        "unlogged": bool(config.get("unlogged")),
        "alias other than the name": node["alias"] != node["name"],
        "`sql_header`": bool(config.get("sql_header")) or "set_sql_header" in (node.get("raw_code") or ""),
    }
    return [name for name, has in found.items() if has]
