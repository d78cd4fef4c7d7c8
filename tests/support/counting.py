"""Runs dbt as the command line does and counts what does not depend on the machine.

counting.py FILE ARGUMENTS OF DBT ...

Writes to FILE, as JSON: `code`, dbt's exit code; `macros`, the calls of each of the package's macros by name;
`compiled`, their characters that were compiled; `lookups`, the calls of adapter.get_relation; `operations`,
the calls and attribute reads that Jinja has made; `values`, the look-ups in agate's rows and columns.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any


def main() -> None:
    """Counts, and ends with dbt's exit code."""
    from agate.mapped_sequence import MappedSequence
    from dbt.adapters.base.impl import BaseAdapter
    from dbt.cli.main import cli
    from dbt.clients.jinja import MacroGenerator
    from jinja2.sandbox import SandboxedEnvironment

    target = Path(sys.argv.pop(1))
    macros: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    compiled: dict[str, int] = {}

    def counted(owner: Any, name: str, count: Any) -> None:
        original = getattr(owner, name)

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            count(self)
            return original(self, *args, **kwargs)

        setattr(owner, name, call)

    def called(generator: Any) -> None:
        macro = generator.macro
        if macro.package_name == "dbt_selfheal":
            macros[macro.name] += 1
            compiled[macro.unique_id] = len(macro.macro_sql)

    counted(MacroGenerator, "__call__", called)
    counted(BaseAdapter, "get_relation", lambda _: totals.update(["lookups"]))
    counted(SandboxedEnvironment, "call", lambda _: totals.update(["operations"]))
    counted(SandboxedEnvironment, "getattr", lambda _: totals.update(["operations"]))
    counted(MappedSequence, "__getitem__", lambda _: totals.update(["values"]))
    code: object = 1
    try:
        cli()
    except SystemExit as end:
        code = end.code or 0
        raise
    finally:
        content = {"code": code, "macros": macros, "compiled": sum(compiled.values())}
        content |= {name: totals[name] for name in ("lookups", "operations", "values")}
        target.write_text(json.dumps(content))


if __name__ == "__main__":
    main()
