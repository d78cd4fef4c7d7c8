# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""A fork server whose dbt has already parsed one project and compiled its macros, and may have a fault in it.

The Python of the tested environment runs this file. Its argument is a JSON object with the folder, the environment
variables and the command line of a first invocation, which runs in the server itself; every later one is forked from
there and does what `dbt` does from that point on. The rest is as in support/dbt_server.py.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import sys
import threading
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Warms up and serves until stdin closes; in a child, runs its request and returns its exit code."""
    server = runpy.run_path(str(HERE.parent / "support" / "dbt_server.py"))
    requests, answers = os.dup(0), os.dup(1)
    server["_point"](0, os.devnull, os.O_RDONLY)
    os.dup2(2, 1)
    sys.path[0] = str(Path(sys.executable).parent)
    server["_import_dbt"]()
    first = json.loads(sys.argv[1])
    manifest = _parsed(first)
    code = _invoke(first, manifest)
    _close_databases()
    if code != 0 or threading.active_count() != 1:
        raise RuntimeError(f"the first invocation ended with {code}, threads: {threading.enumerate()}")
    gc.freeze()
    request = server["_serve"](requests, answers)
    try:
        if request is None:
            return 0
        server["_point"](1, request["stdout"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        server["_point"](2, request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return _invoke(request, manifest)
    finally:
        gc.unfreeze()


def _close_databases() -> None:
    """Closes what dbt leaves to the end of the process: a child must not have a database that its parent opened."""
    from dbt.adapters.factory import reset_adapters

    reset_adapters()
    if "dbt.adapters.duckdb.connections" in sys.modules:
        sys.modules["dbt.adapters.duckdb.connections"].DuckDBConnectionManager.close_all_connections()
    gc.collect()


def _enter(request: dict[str, Any]) -> None:
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["dbt", *request["arguments"]]  # dbt writes it into its artifacts


def _parsed(request: dict[str, Any]) -> Any:
    """Returns the manifest of the project."""
    from dbt.cli.main import dbtRunner

    _enter(request)
    return dbtRunner().invoke(["parse"]).result


def _invoke(request: dict[str, Any], manifest: Any) -> int:
    """Runs dbt and returns the exit code that the `dbt` command would have."""
    from dbt.cli.main import dbtRunner

    _enter(request)
    if "FAULT" in os.environ:
        runpy.run_path(str(HERE / "inject.py"))["install"](json.loads(os.environ["FAULT"]))
    result = dbtRunner(manifest=manifest).invoke(request["arguments"])
    return 0 if result.success else 2 if result.exception else 1


if __name__ == "__main__":
    sys.exit(main())
