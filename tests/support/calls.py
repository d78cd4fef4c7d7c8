"""Runs dbt under cProfile and counts the Python calls of its main thread, which do not depend on the machine.

calls.py FILE ARGUMENTS OF DBT ...

Writes to FILE, as JSON: `code`, dbt's exit code; `calls`, the number of calls.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
from pathlib import Path


def main() -> None:
    """Counts, and ends with dbt's exit code."""
    from dbt.cli.main import cli

    target = Path(sys.argv.pop(1))
    profile = cProfile.Profile()
    code: object = 1
    try:
        profile.runcall(cli)
    except SystemExit as end:
        code = end.code or 0
        raise
    finally:
        stats = pstats.Stats(profile)
        target.write_text(json.dumps({"code": code, "calls": stats.total_calls}))  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
