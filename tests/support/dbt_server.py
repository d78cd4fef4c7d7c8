"""A fork server for dbt: imports dbt once, then runs every invocation in a fresh child process.

The Python of a tested environment runs this file, so it uses the standard library and dbt, nothing else.
Its argument, if there is one, is a JSON object with `folder`, `environment` and `commands`: what dbt runs in
the server itself beforehand. What dbt makes once in a process and keeps (parts of its own classes, and, since
dbt's caching for tests is on, the syntax trees of macros by their text) is then there for every child.
Requests are JSON lines on stdin; the answers on stdout are `{"id", "pid"}` when a child has started and
`{"id", "returncode"}` when it has ended. A child does what the `dbt` console script does, and leaves nothing
behind for the next one. When stdin closes, children that still run are killed and the server ends.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

# What each process does late and all do alike: imports, and schemas made from dbt's own classes.
LATE_IMPORTS = ("babel.dates", "dbt.compilation", "multiprocessing.pool", "multiprocessing.dummy", "sqlparse")
SCHEMAS = {
    "dbt.contracts.project": ("Configuration", "Project", "ProjectFlags", "PackageConfig", "ProfileConfig"),
    "dbt.contracts.graph.nodes": ("ModelNode", "SeedNode"),
    "dbt.contracts.selection": ("SelectorFile",),
    "dbt.artifacts.resources": ("ModelConfig", "SeedConfig"),
}


def main() -> int:
    """Serves until stdin closes and returns 0; in a child, runs its request and ends the process."""
    requests = os.dup(0)
    answers = os.dup(1)
    _point(0, os.devnull, os.O_RDONLY)
    os.dup2(2, 1)  # nothing that an import prints may get between the answers
    sys.path[0] = str(
        Path(sys.executable).parent
    )  # as for a console script; not this folder, which has other modules
    _import_dbt()
    json.dump = _dump  # type: ignore[assignment]
    if len(sys.argv) > 1:
        _warm_up(json.loads(sys.argv[1]))
    _settle()
    request = _serve(requests, answers)
    if request is not None:
        _end(_code(request))
    return 0


def _import_dbt() -> None:
    """Imports dbt and every installed adapter."""
    import dbt.adapters
    import dbt.cli.main

    for module in pkgutil.iter_modules(dbt.adapters.__path__):
        if module.ispkg and hasattr(importlib.import_module(f"dbt.adapters.{module.name}"), "Plugin"):
            plugin = importlib.import_module(f"dbt.adapters.{module.name}").Plugin
            with suppress(AttributeError):  # of one adapter a function stands for the class
                plugin.credentials.json_schema()
    for name in LATE_IMPORTS:
        with suppress(ImportError):
            importlib.import_module(name)
    for name, classes in SCHEMAS.items():
        for name_of_class in classes:
            with suppress(AttributeError):
                getattr(importlib.import_module(name), name_of_class).json_schema()


def _dump(value: Any, file: Any, **options: Any) -> None:
    """Writes what json.dump writes, by the encoder in C, which it leaves unused: dbt writes much."""
    file.write(json.dumps(value, **options))


def _warm_up(first: dict[str, Any]) -> None:
    """Runs dbt in this process; a command that fails is no error here, its tests will tell."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner
    from dbt_common.tests import enable_test_caching

    enable_test_caching()
    surroundings = dict(os.environ)
    _enter(first)
    for arguments in first["commands"]:
        dbtRunner().invoke(arguments)
    reset_adapters()
    if "dbt.adapters.duckdb.connections" in sys.modules:  # a child must not have a database open
        sys.modules["dbt.adapters.duckdb.connections"].DuckDBConnectionManager.close_all_connections()
    os.environ.clear()
    os.environ.update(surroundings)


def _settle() -> None:
    """Sees to it that forking is safe and cheap."""
    gc.collect()
    if threading.active_count() != 1:
        raise RuntimeError(f"dbt has left threads: {threading.enumerate()}")
    gc.freeze()  # the children share these pages as long as no collection writes to them


def _serve(requests: int, answers: int) -> dict[str, Any] | None:
    """Answers requests; returns None at the end, and in each child the request that it is to run."""
    import selectors

    wakeup_read, wakeup_write = os.pipe()
    os.set_blocking(wakeup_read, False)
    os.set_blocking(wakeup_write, False)
    signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, int] = {}
    buffer = b""
    _answer(answers, {"ready": True})
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        selector.register(wakeup_read, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if wakeup_read in ready:
                os.read(wakeup_read, 4096)
                for pid, request_id in list(children.items()):
                    ended, status = os.waitpid(pid, os.WNOHANG)
                    if ended:
                        del children[pid]
                        _answer(answers, {"id": request_id, "returncode": os.waitstatus_to_exitcode(status)})
            if requests in ready:
                data = os.read(requests, 65536)
                if not data:
                    for pid in children:
                        os.killpg(pid, signal.SIGKILL)
                    return None
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    request: dict[str, Any] = json.loads(line)
                    pid = os.fork()
                    if pid == 0:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        os.setpgid(0, 0)
                        for descriptor in (requests, answers, wakeup_read, wakeup_write):
                            os.close(descriptor)
                        return request
                    with suppress(OSError):
                        os.setpgid(
                            pid, pid
                        )  # on both sides, so that nobody meets the child without its group
                    children[pid] = request["id"]
                    _answer(answers, {"id": request["id"], "pid": pid})


def _run(request: dict[str, Any]) -> int:
    """Runs a request in the child: dbt, or a Python file that needs the environment's modules."""
    _point(1, request["stdout"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _point(2, request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _enter(request)
    if request["script"]:
        sys.argv = [request["script"], *request["arguments"]]
        runpy.run_path(request["script"], run_name="__main__")
        return 0
    sys.argv = [str(Path(sys.executable).parent / "dbt"), *request["arguments"]]
    from dbt.cli.main import cli

    code = cli()  # ends by SystemExit as in the console script
    return code if isinstance(code, int) else 0


def _code(request: dict[str, Any]) -> int:
    """Runs a request to its end, whatever that is, and returns the exit code as Python would."""
    try:
        return _run(request)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    return 1


def _end(code: int) -> None:
    """Ends the child as Python ends, but for taking its objects apart one by one, which takes a second.

    Threads are waited for, connections closed, and what was printed is written.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _enter(request: dict[str, Any]) -> None:
    """Takes over a request's working directory and environment variables."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()


def _point(descriptor: int, path: str, mode: int) -> None:
    """Makes a descriptor stand for the file of that path."""
    opened = os.open(path, mode, 0o644)
    os.dup2(opened, descriptor)
    os.close(opened)


def _answer(answers: int, content: dict[str, Any]) -> None:
    """Sends one answer."""
    os.write(answers, json.dumps(content).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
