"""The command dbt-selfheal as users run it, on projects and databases of the test harness."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import DbtProject, Environment

COMMAND = [sys.executable, "-m", "dbt_selfheal.cli"]
TIMEOUT = 240.0

# Two seeds, a table, a view over it, and a leaf that reads the view.
SHOP = {
    "seeds/raw_customers.csv": "id,name\n1,Ada\n2,Grace\n",
    "seeds/raw_orders.csv": "id,customer_id,amount\n1,1,10\n2,2,20\n3,2,30\n",
    "models/orders.sql": "{{ config(materialized='table') }}\n"
    "select o.id, c.name, o.amount from {{ ref('raw_orders') }} o "
    "join {{ ref('raw_customers') }} c on c.id = o.customer_id\n",
    "models/totals.sql": "select name, sum(amount) as total from {{ ref('orders') }} group by name\n",
    "models/report.sql": "{{ config(materialized='table') }}\nselect * from {{ ref('totals') }}\n",
}
SHOP_NAMES = {"raw_customers", "raw_orders", "orders", "totals", "report"}


@dataclass
class Finished:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def output(self) -> str:
        """Standard output, then standard error."""
        return self.stdout + self.stderr

    @property
    def said(self) -> str:
        """Standard error, without where its lines are folded."""
        return " ".join(self.stderr.split())

    @property
    def envelope(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    @property
    def document(self) -> dict[str, Any]:
        """The command's own result in it; empty if it has none."""
        found: dict[str, Any] = self.envelope["result"] or {}
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The error in it, with code, message and remedy."""
        found: dict[str, Any] = self.envelope["error"]
        return found


class Cli:
    """Runs dbt-selfheal in a project."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._running: list[subprocess.Popen[str]] = []

    def variables(self) -> dict[str, str]:
        """The environment of the command: that of dbt, with its dbt."""
        variables = self._environment.variables()
        variables.pop("DBT_LOG_FORMAT_FILE")
        if self._environment.name != "dev":
            variables["DBT_SELFHEAL_DBT"] = str(self._environment.folder / "bin" / "dbt")
        return variables

    def start(
        self, project: DbtProject, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Starts the command and does not wait."""
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=project.folder,
            env={**self.variables(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_takes_ctrl_c,
        )
        self._running.append(process)
        return process

    def __call__(
        self, project: DbtProject, *arguments: str, env: Mapping[str, str] | None = None, code: int | None = 0
    ) -> Finished:
        """Runs the command to its end; `code` is the exit code that it must have, None for any."""
        started = time.monotonic()
        process = self.start(project, *arguments, env=env)
        stdout, stderr = process.communicate(timeout=TIMEOUT)
        result = Finished(process.returncode, stdout, stderr, time.monotonic() - started)
        assert "Traceback" not in result.output, result.output
        assert code is None or result.returncode == code, result
        return result

    def close(self) -> None:
        """Ends what still runs."""
        for process in self._running:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _takes_ctrl_c() -> None:
    """A shell starts what runs in its background with SIGINT ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def cli(dbt_environment: Environment) -> Any:
    """Runs dbt-selfheal."""
    runner = Cli(dbt_environment)
    yield runner
    runner.close()


@pytest.fixture
def shop(make_project: Callable[..., DbtProject]) -> DbtProject:
    """A project with nothing built."""
    config = {"vars": {"dbt_selfheal": {"timeout_seconds": 200}}}  # the machines of tests are slow at times
    return make_project(SHOP, config=config)


def processes_of(folder: Path) -> list[int]:
    """Returns the processes whose working directory is a folder (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").resolve() == folder.resolve() and int(entry.name) != os.getpid():
                    found.append(int(entry.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits until a condition holds; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
