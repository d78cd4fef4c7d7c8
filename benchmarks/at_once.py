"""Starts `dbt-selfheal ensure` several times at once; all must succeed, and build exactly once.

at_once.py PATH_OF_DBT_SELFHEAL COUNT
"""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> None:
    """Fails unless exactly one of the processes has initialized the workspace."""
    command = [sys.argv[1], "ensure", "--json", "--timeout", "300", "--lock-timeout", "300"]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(int(sys.argv[2]))
    ]
    outputs = [process.communicate() for process in processes]
    created: list[str] = []
    for process, (stdout, stderr) in zip(processes, outputs, strict=True):
        if process.returncode:
            raise SystemExit(f"exit code {process.returncode}: {stderr}")
        created += json.loads(stdout)["result"]["tables_created"]
    if not created or len(created) != len(set(created)):
        raise SystemExit(f"not built exactly once: {sorted(created)}")


if __name__ == "__main__":
    main()
