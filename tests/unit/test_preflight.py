"""A database file is only called damaged when it is."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dbt_selfheal.errors import DatabaseCorruptionError
from dbt_selfheal.workspace.dbt import Options
from dbt_selfheal.workspace.integrity import check_database
from dbt_selfheal.workspace.project import Workspace


def workspace(folder: Path) -> Workspace:
    """Returns a workspace on DuckDB."""
    return Workspace(
        options=Options(),
        project_dir=folder,
        profiles_file=folder / "profiles.yml",
        profile="shop",
        target="dev",
        output={"type": "duckdb", "path": str(folder / "warehouse.duckdb")},
        project={},
        variables={},
    )


def test_a_duckdb_file_is_whole_after_a_table_was_dropped(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        for name in "abcd":
            connection.execute(f"create table {name} as select range as x, 'x' || range as y from range(3)")
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table d")
    with duckdb.connect(str(file), read_only=True) as connection:
        (blocks,) = connection.execute(
            "select block_size * total_blocks from pragma_database_size()"
        ).fetchall()
    assert file.stat().st_size < blocks[0], "DuckDB no longer cuts the free end of a file off"
    check_database(workspace(tmp_path))


def test_a_duckdb_file_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table a as select range as x, repeat('x', 99) as y from range(100000)")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DatabaseCorruptionError):
        check_database(workspace(tmp_path))


KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("create table a (x, y)")
connection.execute("begin")
connection.executemany("insert into a values (?, hex(randomblob(99)))", ([n] for n in range(9999)))
connection.execute("commit")
connection.execute("pragma cache_size = 1")
connection.execute("begin")
connection.execute("update a set y = 'changed'")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_sqlite_file_whose_writer_was_killed_is_not_damaged(tmp_path: Path) -> None:
    """SQLite itself rolls back what the journal tells, at the next write."""
    file = tmp_path / "warehouse.sqlite"
    subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    assert Path(f"{file}-journal").stat().st_size > 0
    output = {"type": "sqlite", "schemas_and_paths": {"main": str(file)}}
    check_database(replace(workspace(tmp_path), output=output))
