"""dbt projects for tests, and the results of dbt's invocations in them."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from support.databases import Database, Row
from support.environments import ROOT, TELEMETRY, DbtServer, Process, kill_group, start_real_process

TIMEOUT = 120.0
PACKAGES = {"dbt_selfheal": ROOT, "dbt_selfheal_database": ROOT / "database"}
HEALING = ("dbt_selfheal",)
BOTH = ("dbt_selfheal", "dbt_selfheal_database")


class DbtError(AssertionError):
    """dbt did not do what the test expects; the message has the command and the end of what it printed."""


@dataclass(frozen=True)
class DbtResult:
    """What one invocation of dbt returned, printed and wrote.

    Attributes:
        command: The command line.
        returncode: The exit code; negative: the number of the signal that ended it.
        stdout: Standard output.
        stderr: Standard error.
        seconds: How long it took.
        folder: Where this invocation's log and copies of its artifacts are.
    """

    command: str
    returncode: int
    stdout: str
    stderr: str
    seconds: float
    folder: Path = field(repr=False)

    @property
    def output(self) -> str:
        """Standard output and standard error."""
        return self.stdout + self.stderr

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """The events of the log file at debug level: dicts with `info` (name, level, msg, ts) and `data`."""
        if (self.folder / TELEMETRY).exists():
            return [_as_event(json.loads(line)) for line in _read(self.folder / TELEMETRY).splitlines()]
        events = []
        for path in sorted(self.folder.glob("dbt.log*"), reverse=True):
            for line in path.read_text().splitlines():
                try:
                    events.append(json.loads(line))
                except ValueError:
                    continue  # the end of a killed dbt's log
        return events

    @cached_property
    def log(self) -> str:
        """The messages of the log file at debug level, of this invocation only."""
        return "\n".join(f"[{event['info']['level']}] {event['info']['msg']}" for event in self.events)

    @cached_property
    def healing_events(self) -> list[dict[str, Any]]:
        """The package's own events: the JSON objects with a key `event` among the log's messages."""
        found = []
        for event in self.events:
            message = event["info"]["msg"].strip()
            if message.startswith("{") and '"event"' in message:
                found.append(json.loads(message))
        return found

    @cached_property
    def run_results(self) -> dict[str, Any] | None:
        """The run_results.json that this invocation wrote, or None."""
        return self._artifact("run_results.json")

    @cached_property
    def manifest(self) -> dict[str, Any] | None:
        """The manifest.json that this invocation wrote, or None."""
        return self._artifact("manifest.json")

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each node that ran (`success`, `pass`, `error` ...) by its name; without hooks."""
        found = {
            result["unique_id"]: result["status"] for result in (self.run_results or {}).get("results", [])
        }
        return {
            name.split(".")[2]: status for name, status in found.items() if not name.startswith("operation.")
        }

    def explain(self) -> str:
        """Returns the command, its exit code and the end of its output."""
        return (
            f"{self.command}\nexit code {self.returncode} after {self.seconds:.1f} s\n{self.output[-6000:]}"
        )

    def _artifact(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        if not path.exists():
            return None
        content: dict[str, Any] = json.loads(path.read_text())
        return content


class RunningDbt:
    """An invocation of dbt that may still be running; made by DbtProject.start."""

    def __init__(self, project: DbtProject, arguments: list[str], folder: Path, process: Process) -> None:
        self._project = project
        self._arguments = arguments
        self._folder = folder
        self._started = time.monotonic()
        self._artifacts = project.artifact_times()
        self.process = process

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Sends a signal to dbt and all its processes."""
        kill_group(self.process, number)

    def wait_for(self, text: str, timeout: float = TIMEOUT) -> None:
        """Waits until a text is in the output or in the log file.

        Args:
            text: What to wait for.
            timeout: In seconds.

        Raises:
            DbtError: dbt ended without it, or the time is over.
        """
        end = time.monotonic() + timeout
        while True:
            running = self.is_running
            for name in ("dbt.log", "stdout", "stderr"):
                path = self._folder / name
                if path.exists() and text in path.read_text(errors="replace"):
                    return
            if not running or time.monotonic() > end:
                raise DbtError(
                    f"{text!r} did not appear in\n{self._result(self.process.poll() or 0).explain()}"
                )
            time.sleep(0.005)

    def wait(self, *, check: bool = True, timeout: float = TIMEOUT) -> DbtResult:
        """Waits for the end.

        Args:
            check: Whether an exit code other than 0 is an error.
            timeout: In seconds; after that dbt and its processes are killed.

        Returns:
            The result.

        Raises:
            DbtError: The time is over, or dbt failed and `check` is set.
        """
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait(10)
            raise DbtError(
                f"killed after the timeout of {timeout:g} s: {self._result(code).explain()}"
            ) from None
        result = self._result(code)
        if check and code != 0:
            raise DbtError(f"dbt failed: {result.explain()}")
        return result

    def _result(self, code: int) -> DbtResult:
        for path, changed in self._project.artifact_times().items():
            if self._artifacts.get(path) != changed and not (self._folder / path.name).exists():
                shutil.copyfile(path, self._folder / path.name)  # the next invocation overwrites it
        return DbtResult(
            command=shlex.join(["dbt", *self._arguments]),
            returncode=code,
            stdout=_read(self._folder / "stdout"),
            stderr=_read(self._folder / "stderr"),
            seconds=time.monotonic() - self._started,
            folder=self._folder,
        )


class DbtProject:
    """A dbt project in a folder, the database it works on, and a real dbt to run in it.

    `dbt_project.yml`, `profiles.yml` and `packages.yml`, which lists what is in `dbt_packages`, are written
    unless `files` has them.

    Args:
        folder: Where the project is made, or is already.
        database: What it builds into.
        server: Where its invocations run.
        files: Content by path, such as `{"models/a.sql": "select 1 as id"}`.
        config: More keys of dbt_project.yml, such as `{"vars": {"dbt_selfheal": {"on_missing": "fail"}}}`.
        install: Whether the packages are installed, as `dbt deps` does for local packages: by symbolic links.
        packages: Which of this repository's packages, by their names.
        name: The project's name.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        server: DbtServer,
        *,
        files: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        install: bool = True,
        packages: Sequence[str] = HEALING,
        name: str = "shop",
    ) -> None:
        self.folder = folder
        self.database = database
        self.name = name
        self.packages = tuple(packages)
        self._server = server
        self._count = 0
        project = {
            "name": name,
            "version": "1.0.0",
            "config-version": 2,
            "profile": name,
            # The defaults, named: dbt-core warns of what is missing in some versions.
            "model-paths": ["models"],
            **(config or {}),
        }
        self.write({"dbt_project.yml": yaml.safe_dump(project, sort_keys=False)}, keep=True)
        self.write_profile()
        self.write(files or {})
        listed = [{"local": str(PACKAGES[package])} for package in packages] if install else []
        listed += [{"local": f"dbt_packages/{name}"} for name in self._installed()]
        if listed:
            self.write({"packages.yml": yaml.safe_dump({"packages": listed})}, keep=True)
        if install:
            self.link_package()

    @classmethod
    def copy(
        cls,
        source: Path,
        folder: Path,
        database: Database,
        server: DbtServer,
        *,
        install: bool = True,
        packages: Sequence[str] = HEALING,
    ) -> DbtProject:
        """Makes a project from a copy of another one's folder, without what dbt has generated there.

        Args:
            source: The folder to copy; its own profiles.yml is replaced.
            folder: Where the project is made.
            database: What it builds into.
            server: Where its invocations run.
            install: Whether the packages are installed.
            packages: Which of this repository's packages, by their names.

        Returns:
            The project.
        """
        generated = shutil.ignore_patterns(
            "target", "logs", "dbt_packages", ".venv", "*.duckdb", "profiles.yml", "packages.yml"
        )
        shutil.copytree(source, folder, ignore=generated, dirs_exist_ok=True)
        description = yaml.safe_load((folder / "dbt_project.yml").read_text())
        project = cls(folder, database, server, install=install, packages=packages, name=description["name"])
        project.write_profile(description.get("profile", description["name"]))
        return project

    def write(self, files: Mapping[str, str], *, keep: bool = False) -> None:
        """Writes files.

        Args:
            files: Content by path in the project.
            keep: Whether a file that is there is left as it is.
        """
        for path, content in files.items():
            target = self.folder / path
            if keep and target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)

    def remove(self, *paths: str) -> None:
        """Deletes files of the project."""
        for path in paths:
            (self.folder / path).unlink()

    def configure(self, **keys: Any) -> None:
        """Replaces top-level keys of dbt_project.yml; dashes are written as underscores."""
        path = self.folder / "dbt_project.yml"
        content = yaml.safe_load(path.read_text())
        content.update({key.replace("_", "-"): value for key, value in keys.items()})
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def write_profile(self, profile: str | None = None, **changes: Any) -> None:
        """Writes profiles.yml.

        Args:
            profile: The profile's name, the project's if not given.
            **changes: What to change in the database's own output, such as `threads=1` or `schema="other"`.
        """
        output = {**self.database.profile(), **changes}
        content = {profile or self.name: {"target": "dev", "outputs": {"dev": output}}}
        self.write({"profiles.yml": yaml.safe_dump(content, sort_keys=False)})

    def link_package(self) -> None:
        """Installs the packages as `dbt deps` does for local ones, by symbolic links."""
        for package in self.packages:
            link = self.folder / "dbt_packages" / package
            link.parent.mkdir(exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(PACKAGES[package])

    def dbt(
        self,
        *arguments: str,
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        args: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = TIMEOUT,
        real_process: bool = False,
    ) -> DbtResult:
        """Runs dbt to its end.

        Args:
            *arguments: The command line after `dbt`.
            vars: For `--vars`.
            args: For the `--args` of `run-operation`.
            env: More environment variables; the surrounding DBT_* are never passed on.
            check: Whether an exit code other than 0 is an error.
            timeout: In seconds; after that dbt is killed.
            real_process: Start the `dbt` console script and not a child of the fork server.

        Returns:
            The result.

        Raises:
            DbtError: The time is over, or dbt failed and `check` is set.
        """
        running = self.start(*arguments, vars=vars, args=args, env=env, real_process=real_process)
        return running.wait(check=check, timeout=timeout)

    def dbt_fails(self, *arguments: str, **options: Any) -> DbtResult:
        """Runs dbt, which must fail; the options are those of `dbt`.

        Args:
            *arguments: The command line after `dbt`.
            **options: As of `dbt`.

        Returns:
            The result.

        Raises:
            DbtError: dbt succeeded, or the time is over.
        """
        result = self.dbt(*arguments, check=False, **options)
        if result.returncode <= 0:
            raise DbtError(f"dbt should have failed: {result.explain()}")
        return result

    def start(
        self,
        *arguments: str,
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        args: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        real_process: bool = False,
    ) -> RunningDbt:
        """Starts dbt and does not wait: for several at once, and for killing one. Arguments as of `dbt`.

        Returns:
            The running invocation.
        """
        line = list(arguments)
        if vars is not None:
            line += ["--vars", json.dumps(vars, ensure_ascii=False)]
        if args is not None:
            line += ["--args", json.dumps(args, ensure_ascii=False)]
        self._count += 1
        folder = self.folder / "logs" / f"{self._count:03}-{arguments[0] if arguments else 'dbt'}"
        folder.mkdir(parents=True)
        variables = {**self._server.environment.variables(), "DBT_LOG_PATH": str(folder), **(env or {})}
        files = {"stdout": folder / "stdout", "stderr": folder / "stderr"}
        process: Process
        if real_process:
            process = start_real_process(
                self._server.environment, line, folder=self.folder, variables=variables, **files
            )
        else:
            process = self._server.start(line, folder=self.folder, variables=variables, **files)
        return RunningDbt(self, line, folder, process)

    def _installed(self) -> list[str]:
        """Returns the names of the packages among the project's own files; dbt wants to find them listed."""
        folders = (self.folder / "dbt_packages").glob("*/dbt_project.yml")
        return sorted(path.parent.name for path in folders if path.parent.name not in PACKAGES)

    def artifact_times(self) -> dict[Path, int]:
        """Returns the times of change of the artifacts that are there."""
        paths = [self.folder / "target" / name for name in ("run_results.json", "manifest.json")]
        return {path: path.stat().st_mtime_ns for path in paths if path.exists()}

    def query(self, sql: str) -> list[Row]:
        """Returns the rows of a query on the database."""
        return self.database.query(sql)

    def execute(self, *statements: str) -> None:
        """Executes statements on the database, each committed."""
        self.database.execute(*statements)

    def relations(self) -> dict[str, str]:
        """Returns `{"schema.name": "table" or "view"}` for what is in the database."""
        return self.database.relations()

    def names(self) -> set[str]:
        """Returns the names, without schemas, of what is in the database."""
        return {relation.split(".", 1)[1] for relation in self.relations()}

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Returns name and type of the columns of a relation given as `name` or `schema.name`."""
        return self.database.columns(relation)

    def rows(self, relation: str) -> list[Row]:
        """Returns the sorted rows of a relation given as `name` or `schema.name`."""
        return self.database.rows(relation)

    def drop(self, *relations: str) -> None:
        """Drops relations given as `name` or `schema.name`."""
        self.database.drop(*relations)


def _as_event(record: dict[str, Any]) -> dict[str, Any]:
    """Returns a record of dbt v2's telemetry in the form of an event of dbt v1's log."""
    name = record["event_type"].rpartition(".")[2]
    if name == "QueryExecuted" and record["record_type"] == "SpanEnd":
        name = "SQLQuery"
    info = {"name": name, "level": record["severity_text"].lower(), "msg": record.get("body") or ""}
    return {"info": info, "data": record["attributes"]}


def _read(path: Path) -> str:
    """Returns a file's text, empty if there is none."""
    return path.read_text(errors="replace") if path.exists() else ""
