"""The environments that scripts/environments makes, and processes of dbt in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
SERVER = Path(__file__).with_name("dbt_server.py")
TELEMETRY = "telemetry.jsonl"  # of dbt v2: what it did, as JSON lines


class Environment:
    """A virtual environment with dbt in it.

    Args:
        name: Its name in scripts/environments, such as `dev` or `dbt-1.8`.

    Raises:
        FileNotFoundError: It has not been made.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = ROOT / ".venv" / name
        self.python = self.folder / "bin" / "python"
        if not (self.folder / "stamp.json").exists():
            raise FileNotFoundError(
                f"there is no environment {name}; make it with: scripts/environments {name}"
            )

    @property
    def dbt_version(self) -> str:
        """The version of dbt-core in it."""
        version = self.version_of("dbt-core")
        if version is None:
            raise LookupError(f"the environment {self.name} has no dbt-core")
        return version

    def version_of(self, distribution: str) -> str | None:
        """Returns the version of a distribution in it, or None if it is not there."""
        for path in self.folder.glob("lib/python*/site-packages"):
            for found in metadata.distributions(name=distribution, path=[str(path)]):
                return found.version
        return None

    def variables(self) -> dict[str, str]:
        """Returns dbt's environment variables: the surrounding ones without what changes dbt or Python."""
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("DBT_", "PYTHON", "PYTEST_", "VIRTUAL_ENV", "PG", "RUST_"))
        }
        return {
            **kept,
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DBT_USE_COLORS": "false",
            "DBT_USE_COLORS_FILE": "false",
            "DBT_LOG_FORMAT_FILE": "json",
            "NO_COLOR": "1",
            **(self._engine_variables() if self.is_v2 else {}),
        }

    @property
    def is_v2(self) -> bool:
        """Whether dbt v2 is in it, an engine that is one program and no Python."""
        return self.dbt_version.startswith("2.")

    def _engine_variables(self) -> dict[str, str]:
        """Returns what lets the engine find its drivers, and use those that are not finished."""
        return {
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "DBT_ALLOW_EXPERIMENTAL_ADAPTERS": "true",
        }


class Process(Protocol):
    """A process in a process group of its own; the common part of subprocess.Popen and ForkedProcess."""

    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code; raises subprocess.TimeoutExpired after the timeout in seconds."""
        ...

    def poll(self) -> int | None:
        """Returns the exit code, or None while it runs."""
        ...


class ForkedProcess:
    """A child of the fork server."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = arguments
        self.pid = 0
        self.returncode: int | None = None
        self.started = threading.Event()
        self.ended = threading.Event()

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code; raises subprocess.TimeoutExpired after the timeout in seconds."""
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired(list(self.arguments), timeout or 0)
        if self.returncode is None:
            raise RuntimeError("the dbt server died while this process was running")
        return self.returncode

    def poll(self) -> int | None:
        """Returns the exit code, or None while it runs."""
        return self.returncode


class DbtServer:
    """Starts real dbt without its imports: a process that has imported dbt is forked for every invocation.

    Several invocations may run at once, and any thread may start and wait for them.

    Args:
        environment: Where dbt is installed.
        folder: A project in which the server itself runs `commands` before it starts the first process.
        commands: Command lines after `dbt`.
    """

    def __init__(
        self, environment: Environment, folder: Path | None = None, commands: Sequence[Sequence[str]] = ()
    ) -> None:
        self.environment = environment
        self._warm_up: dict[str, Any] | None = None
        if folder is not None:
            self._warm_up = {
                "folder": str(folder),
                "environment": {**environment.variables(), "DBT_LOG_PATH": str(folder / "logs")},
                "commands": [list(command) for command in commands],
            }
        self._lock = threading.Lock()
        self._processes: dict[int, ForkedProcess] = {}
        self._count = 0
        self._server: subprocess.Popen[bytes] | None = None

    def start(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        variables: dict[str, str],
        stdout: Path,
        stderr: Path,
        script: Path | None = None,
    ) -> Process:
        """Starts dbt, or a Python script, in a fresh process.

        Args:
            arguments: The command line after `dbt`, or the script's arguments.
            folder: The working directory.
            variables: The whole process environment.
            stdout: The file that standard output is appended to.
            stderr: The file that standard error is appended to.
            script: A Python file to run in the environment instead of dbt.

        Returns:
            The process, started.

        Raises:
            RuntimeError: The server does not start or has died.
        """
        process = ForkedProcess(arguments)
        with self._lock:
            server = self._running_server()
            self._count += 1
            self._processes[self._count] = process
            request = {
                "id": self._count,
                "arguments": list(arguments),
                "folder": str(folder),
                "environment": variables,
                "stdout": str(stdout),
                "stderr": str(stderr),
                "script": str(script) if script else None,
            }
            assert server.stdin is not None
            server.stdin.write(json.dumps(request).encode() + b"\n")
            server.stdin.flush()
        process.started.wait(60)
        if not process.pid:
            raise RuntimeError("the dbt server has died")
        return process

    def close(self) -> None:
        """Ends the server, and with it every process that still runs."""
        if self._server is not None and self._server.stdin is not None:
            self._server.stdin.close()
            try:
                self._server.wait(10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None

    def _running_server(self) -> subprocess.Popen[bytes]:
        """Returns the server process, started at the first call."""
        if self._server is None:
            self._server = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self.environment.variables(),
                start_new_session=True,  # Ctrl-C is for pytest, which then closes the server
            )
            ready: SimpleQueue[bool] = SimpleQueue()
            threading.Thread(target=self._read, args=(self._server, ready), daemon=True).start()
            with suppress(Empty):
                if ready.get(timeout=120):
                    return self._server
            raise RuntimeError(f"the dbt server of the environment {self.environment.name} does not start")
        return self._server

    def _command(self) -> list[str]:
        """Returns the command that starts the server."""
        command = [str(self.environment.python), str(SERVER)]
        return command if self._warm_up is None else [*command, json.dumps(self._warm_up)]

    def _read(self, server: subprocess.Popen[bytes], ready: SimpleQueue[bool]) -> None:
        """Hands the server's answers to the processes that they are about."""
        assert server.stdout is not None
        for line in server.stdout:
            answer: dict[str, Any] = json.loads(line)
            if "ready" in answer:
                ready.put(True)
            elif "pid" in answer:
                process = self._processes[answer["id"]]
                process.pid = answer["pid"]
                process.started.set()
            else:
                process = self._processes.pop(answer["id"])
                process.returncode = answer["returncode"]
                process.ended.set()
        ready.put(False)
        for process in list(self._processes.values()):
            process.started.set()
            process.ended.set()


class EngineProcesses(DbtServer):
    """Starts dbt v2, which is one program that needs no imports: each invocation is a process of its own."""

    def start(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        variables: dict[str, str],
        stdout: Path,
        stderr: Path,
        script: Path | None = None,
    ) -> Process:
        """Starts it. Arguments as of DbtServer.start; a script cannot run in it."""
        assert script is None
        told = {"DBT_OTEL_FILE_NAME": str(stdout.with_name(TELEMETRY)), **variables}
        return start_real_process(
            self.environment, arguments, folder=folder, variables=told, stdout=stdout, stderr=stderr
        )


def start_real_process(
    environment: Environment,
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: dict[str, str],
    stdout: Path,
    stderr: Path,
) -> subprocess.Popen[bytes]:
    """Starts the environment's `dbt` console script as users do: slower than DbtServer by the imports.

    Args:
        environment: Where dbt is installed.
        arguments: The command line after `dbt`.
        folder: The working directory.
        variables: The whole process environment.
        stdout: The file that standard output is appended to.
        stderr: The file that standard error is appended to.

    Returns:
        The process, started.
    """
    with stdout.open("ab") as out, stderr.open("ab") as err:
        return subprocess.Popen(
            [environment.folder / "bin" / "dbt", *arguments],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )


def kill_group(process: Process, number: int = signal.SIGKILL) -> None:
    """Sends a signal to a process and to all that it has started; one that has ended is left alone."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def default_environment(adapter: str) -> str:
    """Returns the environment that an adapter is tested in unless another is asked for."""
    return "dev" if adapter in {"duckdb", "postgres"} else adapter
