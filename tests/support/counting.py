"""Runs dbt as the command line does and counts what does not depend on the machine.

counting.py FILE ARGUMENTS OF DBT ...

Python's calls are counted by cProfile, in the main thread and in those that run nodes (from Python 3.12 on,
which has one profile for all threads, in those that only wait, too).
Writes to FILE, as JSON: `code`, dbt's exit code; `calls`, of Python functions; `operations`, the calls and
attribute reads that Jinja has made; `lookups`, the calls of adapter.get_relation; `values`, the look-ups in
agate's rows and columns; `templates`, what Jinja has compiled (macros, nodes, hooks), and `characters`, its
length; `macros`, the calls of each of the package's macros by name, and `compiled`, the characters of those;
`megabytes`, the most memory that the process has held.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import random
import resource
import sys
from collections import Counter
from multiprocessing import pool
from pathlib import Path
from typing import Any

# By name: the function, as a profile names it, and the end of its file's path.
FUNCTIONS = {
    "operations": [("call", "jinja2/sandbox.py"), ("getattr", "jinja2/sandbox.py")],
    "lookups": [("get_relation", "dbt/adapters/base/impl.py")],
    "values": [("__getitem__", "agate/mapped_sequence.py")],
}


OURS = "macro.dbt_selfheal."
PROFILES: list[cProfile.Profile] = []  # one for each thread
WORKER: Any = pool.worker  # type: ignore[attr-defined]


def main() -> None:
    """Counts, and ends with dbt's exit code."""
    from dbt.cli.main import cli
    from dbt.clients.jinja import MacroGenerator
    from jinja2 import Environment

    if sys.version_info < (3, 12):
        pool.worker = _counted_worker  # type: ignore[attr-defined]
    target = Path(sys.argv.pop(1))
    macros: Counter[str] = Counter()
    texts: dict[str, str] = {}
    sources: list[int] = []
    call, compile_source = MacroGenerator.__call__, Environment.compile

    def counted_call(self: Any, *args: Any, **kwargs: Any) -> Any:  # is one call of Python more
        macros[self.macro.unique_id] += 1
        texts[self.macro.unique_id] = self.macro.macro_sql
        return call(self, *args, **kwargs)

    def counted_compile(self: Any, source: Any, *args: Any, **kwargs: Any) -> Any:
        sources.append(len(source) if isinstance(source, str) else 0)
        return compile_source(self, source, *args, **kwargs)

    MacroGenerator.__call__ = counted_call
    Environment.compile = counted_compile  # type: ignore[method-assign]
    random.seed(0)  # dbt renders a model now and then, at random, to check its own parser
    code: object = 1
    try:
        _profile().runcall(cli)
    except SystemExit as end:
        code = end.code or 0
        raise
    finally:
        content = _counts(macros, texts)
        content |= {"code": code, "templates": len(sources), "characters": sum(sources)}
        target.write_text(json.dumps(content))


def _profile() -> cProfile.Profile:
    """Returns a new profile, which counts."""
    PROFILES.append(cProfile.Profile())
    return PROFILES[-1]


def _counted_worker(*args: Any, **kwargs: Any) -> Any:
    """Stands for what a thread of a pool runs."""
    return _profile().runcall(WORKER, *args, **kwargs)


def _counts(macros: Counter[str], texts: dict[str, str]) -> dict[str, Any]:
    """Returns what the profiles, the calls of macros and their texts, by unique id, tell."""
    stats = pstats.Stats(*PROFILES)
    calls: Counter[tuple[str, str]] = Counter()
    for (file, _, function), (_, count, *_) in stats.stats.items():  # type: ignore[attr-defined]
        for end in {end for ends in FUNCTIONS.values() for name, end in ends if name == function}:
            if Path(file).as_posix().endswith(end):
                calls[function, end] += count
    return {
        "calls": stats.total_calls - macros.total(),  # type: ignore[attr-defined]
        "macros": {name.split(".")[2]: count for name, count in macros.items() if name.startswith(OURS)},
        "compiled": sum(len(text) for name, text in texts.items() if name.startswith(OURS)),
        **{name: sum(calls[function] for function in functions) for name, functions in FUNCTIONS.items()},
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
