"""dbt, killed (SIGKILL) before the first statement of a hook that matches a pattern.

`killed.py ADAPTER PATTERN ARGUMENTS OF DBT ...`

The Python of the tested environment runs it. Only the connection manager's two methods that send
statements are
wrapped, to look at what they are given. Exits with dbt's code if nothing matches.
"""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
from typing import Any

from dbt.adapters.base.connections import BaseConnectionManager


def watch(adapter: str, pattern: re.Pattern[str]) -> None:
    """Wraps the methods of an adapter's connection manager."""
    module = importlib.import_module(f"dbt.adapters.{adapter}.connections")
    managers = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, BaseConnectionManager)
        and each.__module__ == module.__name__
    ]
    for name in ("execute", "add_query"):
        original = getattr(managers[-1], name)

        def wrapped(self: Any, sql: str, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            if self.get_thread_connection().name == "master" and pattern.search(sql):
                os.kill(os.getpid(), signal.SIGKILL)
            return _original(self, sql, *args, **kwargs)

        setattr(managers[-1], name, wrapped)


if __name__ == "__main__":
    watch(sys.argv[1], re.compile(sys.argv[2], re.IGNORECASE | re.DOTALL))
    sys.argv = ["dbt", *sys.argv[3:]]
    from dbt.cli.main import cli

    cli()
