"""Tests that need a database with everything in it."""

from __future__ import annotations

from pathlib import Path

import duckdb


def test_the_totals(ready_workspace: Path) -> None:
    with duckdb.connect(str(ready_workspace / "warehouse.duckdb")) as database:
        assert database.execute("select sum(total) from totals").fetchone() == (60,)
        database.execute("delete from orders")  # its own copy: no other test sees it


def test_another_one_has_a_database_of_its_own(ready_workspace: Path) -> None:
    with duckdb.connect(str(ready_workspace / "warehouse.duckdb")) as database:
        assert database.execute("select count(*) from orders").fetchone() == (3,)
