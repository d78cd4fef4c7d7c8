"""Prints the seconds of one warm call of the API, or of a bare catalog query, in the folder's workspace.

warm_call.py api|bare
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Calls twice; the second one counts."""
    if sys.argv[1] == "api":
        from dbt_selfheal import AutoInitializer

        initializer = AutoInitializer(".", profiles_dir=".")

        def call() -> object:
            return initializer.ensure_initialized()
    else:
        import duckdb

        def call() -> object:
            with duckdb.connect("warehouse.duckdb", read_only=True) as connection:
                return connection.execute("select table_name from information_schema.tables").fetchall()

    call()
    started = time.perf_counter()
    call()
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
