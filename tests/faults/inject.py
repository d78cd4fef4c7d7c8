# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Puts a fault between dbt and the real database. warm_server.py runs it in the Python of the tested environment.

A fault, the environment variable FAULT, is a JSON object:

    log       file that every counted statement is appended to, one JSON string a line
    at        which statement meets the fault, from 1; 0: none
    kind      fail: the database gets a statement that fails in place of it
              hang: the database gets one that does not end, and the process dies (SIGKILL) while it runs
              kill: the process dies (SIGKILL) before it is sent

Counted are the statements of the connection that hooks run on, `begin` and `commit` included, in the order in which
they reach the database's driver. Nothing else of dbt, the adapter or the database is replaced.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

FAILING = "select * from dbt_selfheal_injected_fault"
HANGING = {
    "duckdb": "select count(*) from range(1000000000000) t(i) where i % 7 = 3",
    "postgres": "select pg_sleep(3600)",
    "sqlite": (
        "with recursive t(i) as (select 1 union all select i + 1 from t where i < 1000000000000) "
        "select count(*) from t"
    ),
}
SECONDS_BEFORE_DEATH = 0.3


def install(fault: dict[str, Any]) -> None:
    """Puts the fault into dbt's connection manager."""
    from dbt.adapters.sql import SQLConnectionManager

    original = SQLConnectionManager.add_query
    log = Path(fault["log"])
    count = 0

    def add_query(self: Any, sql: str, auto_begin: bool = True, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        connection = self.get_thread_connection()
        if connection.name != "master":
            return original(self, sql, auto_begin, *args, **kwargs)
        if auto_begin and connection.transaction_open is False:
            self.begin()  # as the original does, so that it is counted before what it begins
        count += 1
        with log.open("a") as file:
            file.write(json.dumps(sql[:500]) + "\n")
        if count != fault["at"]:
            return original(self, sql, False, *args, **kwargs)
        if fault["kind"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault["kind"] == "hang":
            threading.Timer(SECONDS_BEFORE_DEATH, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return original(self, HANGING[self.TYPE] if fault["kind"] == "hang" else FAILING, False)

    SQLConnectionManager.add_query = add_query
