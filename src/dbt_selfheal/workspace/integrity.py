"""Whether the database file is whole: asked before dbt opens it, with the lock held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt_selfheal.errors import DatabaseCorruptionError, InitializationError
from dbt_selfheal.workspace.files import open_here
from dbt_selfheal.workspace.project import Workspace

SQLITE_HEADER = b"SQLite format 3\0"
_NEWER = ("version number", "can only read", "unsupported file format", "newer version", "version greater")


def check_database(workspace: Workspace) -> None:
    """Checks that the database file, if there is one, is whole and readable (the lock must be held).

    Raises:
        DatabaseCorruptionError: It is damaged, or is no database.
        InitializationError: A newer version has written it.
    """
    file = workspace.database_file
    if file is None or not file.exists() or file.stat().st_size == 0 or open_here(file):
        return
    if workspace.adapter == "duckdb":
        _check_duckdb(file)
    else:
        _check_sqlite(file)


def _check_duckdb(file: Path) -> None:
    with file.open("rb") as opened:
        header = opened.read(16)
    if header[8:12] != b"DUCK":
        raise DatabaseCorruptionError(file, details="it is not a DuckDB database")
    try:
        import duckdb
    except ImportError:
        return
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            connection.execute("select count(*) from duckdb_tables()").fetchall()
            row = connection.execute(  # free blocks at the end of a file are cut off by DuckDB itself
                "select block_size * used_blocks from pragma_database_size()"
            ).fetchone()
    except duckdb.ConnectionException:
        return  # this very process has it open
    except (duckdb.Error, RuntimeError) as error:
        _raise_duckdb(file, error)
        return
    size = file.stat().st_size
    if row and row[0] and size < row[0]:
        raise DatabaseCorruptionError(
            file, details=f"it is cut off: it has {size} of at least {row[0]} bytes"
        )


def _raise_duckdb(file: Path, error: Exception) -> None:
    """Raises what an error on opening a DuckDB file means; returns if it is for dbt to report."""
    text = str(error)
    if any(sign in text for sign in ("Could not set lock", "encrypt", "Permission denied")):
        return
    if any(sign in text for sign in _NEWER):
        raise _newer(file, text, "duckdb") from error
    raise DatabaseCorruptionError(file, original_error=error) from error


def _newer(file: Path, text: str, library: str) -> InitializationError:
    return InitializationError(
        f"the database file {file} has a format that this {library} cannot read: {text.splitlines()[0]}",
        step="preflight",
        code="selfheal-newer-format",
        remedy=f"Install the {library} that wrote it, or a newer one: pip install --upgrade {library}",
    )


def _check_sqlite(file: Path) -> None:
    import sqlite3

    with file.open("rb") as opened:
        header = opened.read(100)
    if not header.startswith(SQLITE_HEADER) or len(header) < 100:
        raise DatabaseCorruptionError(file, details="it is not a SQLite database")
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    counted = (
        header[24:28] == header[92:96]
    )  # else an old version wrote it, and the number of pages is not valid
    expected = pages * (65536 if page == 1 else page)
    in_work = any(Path(f"{file}-{kind}").exists() for kind in ("wal", "journal"))  # SQLite mends it
    if counted and file.stat().st_size < expected and not in_work:
        size = file.stat().st_size
        raise DatabaseCorruptionError(file, details=f"it is cut off: it has {size} of {expected} bytes")
    connection: Any = None
    try:
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=1)
        connection.execute("select count(*) from sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        # "readonly": a killed process has left a journal, which the next one that writes rolls back.
        if not any(sign in str(error) for sign in ("locked", "unable to open", "readonly")):
            raise DatabaseCorruptionError(file, original_error=error) from error
    except sqlite3.DatabaseError as error:
        if any(sign in str(error) for sign in _NEWER):
            raise _newer(file, str(error), "sqlite") from error
        raise DatabaseCorruptionError(file, original_error=error) from error
    finally:
        if connection is not None:
            connection.close()
