"""What can be known to be wrong before dbt is started: package, seed files, folder, disk, database file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from dbt_selfheal.dbt import Dbt
from dbt_selfheal.errors import (
    AnotherProcessError,
    ConfigurationError,
    DatabaseCorruptionError,
    DiskSpaceError,
    InitializationError,
)
from dbt_selfheal.jinja import load_yaml
from dbt_selfheal.workspace import PACKAGE, Workspace, shown_path

MEGABYTE = 1_000_000
DEFAULT_MIN_FREE_MB = 100.0
SQLITE_HEADER = b"SQLite format 3\0"
_NEWER = ("version number", "can only read", "unsupported file format", "newer version", "version greater")


def check_installation(workspace: Workspace, dbt: Dbt) -> None:
    """Checks that the adapter and the dbt package are installed; raises ConfigurationError if not."""
    adapter = workspace.adapter
    if dbt.version_of("dbt-core") and not dbt.version_of(f"dbt-{adapter}"):
        raise ConfigurationError(
            f"the adapter dbt-{adapter} is not installed ({workspace.profiles_file}: "
            f"{workspace.profile}.outputs.{workspace.target}.type is {adapter})",
            code="adapter-missing",
            remedy=f"pip install dbt-{adapter}",
        )
    if workspace.project.get("name") == PACKAGE:
        return
    if not (workspace.packages_folder / PACKAGE / "dbt_project.yml").exists():
        declared = any(
            (workspace.project_dir / name).exists() for name in ("packages.yml", "dependencies.yml")
        )
        raise ConfigurationError(
            f"the dbt package {PACKAGE} is not installed in {workspace.packages_folder}",
            code="dependency-missing",
            remedy="Run: dbt deps"
            if declared
            else f"Name {PACKAGE} in {workspace.project_dir / 'packages.yml'}, then run: dbt deps",
        )


def seed_files(workspace: Workspace) -> Iterator[Path]:
    """Yields the CSV files of the project's own seeds."""
    for folder in _seed_folders(workspace):
        yield from folder.rglob("*.csv")


def check_seeds(workspace: Workspace) -> list[str]:
    """Checks that each seed that a properties file describes has its CSV file.

    Returns:
        Warnings about seeds that lack it; dbt itself only warns about them.

    Raises:
        ConfigurationError: One of them is declared required.
    """
    folders = _seed_folders(workspace)
    found = {path.stem for path in seed_files(workspace)}
    required = workspace.settings.get("required") or []
    warnings = []
    for folder in folders:
        for path in [*folder.rglob("*.yml"), *folder.rglob("*.yaml")]:
            for name in _described_seeds(path):
                if name not in found:
                    text = f"the seed file {name}.csv is missing; {shown_path(path)} describes it"
                    if name in required:
                        raise ConfigurationError(
                            text,
                            code="seed-missing",
                            remedy=f"Put it at {folder / (name + '.csv')}.",
                            missing_tables=[name],
                        )
                    warnings.append(text)
    return warnings


def _seed_folders(workspace: Workspace) -> list[Path]:
    paths = workspace.project.get("seed-paths") or ["seeds"]
    folders = [workspace.project_dir / str(path) for path in paths]
    return [folder for folder in folders if folder.is_dir()]


def _described_seeds(path: Path) -> list[str]:
    with suppress(ConfigurationError):  # dbt reports it, with more context
        entries = load_yaml(path).get("seeds")
        if isinstance(entries, list):
            return [str(entry["name"]) for entry in entries if isinstance(entry, dict) and "name" in entry]
    return []


def make_database_folder(workspace: Workspace) -> Path | None:
    """Makes the folder of the database file if it is missing, and checks that it can be written to.

    Returns:
        The folder, if it was made.

    Raises:
        InitializationError: It cannot be made or written to.
    """
    file = workspace.database_file
    if file is None:
        return None
    folder, made = file.parent, None
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            made = folder
    except OSError as error:
        raise _unwritable(
            f"the folder {folder} of the database cannot be made: {error.strerror}", folder
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(f"the folder {folder} of the database cannot be written to", folder)
    if file.exists() and not os.access(file, os.R_OK):
        raise _unwritable(f"the database file {file} cannot be read by this user", file)
    if file.exists() and not os.access(file, os.W_OK):
        raise _unwritable(f"the database file {file} cannot be written to", file)
    return made


def _unwritable(message: str, path: Path) -> InitializationError:
    return InitializationError(
        message,
        step="preflight",
        code="read-only",
        remedy=f"Give this user the right to write there (ls -ld {path}), "
        "or choose another place in profiles.yml.",
    )


def check_disk(workspace: Workspace, min_free_mb: float) -> DiskSpaceError | None:
    """Returns an error when the disk of the database file has too little free space; None when it is enough.

    Args:
        workspace: The workspace.
        min_free_mb: The least free space in megabytes; twice the size of the seed files if that is more.
    """
    import shutil

    file = workspace.database_file
    if file is None:
        return None
    seeds = sum(path.stat().st_size for path in seed_files(workspace))
    needed = max(min_free_mb * MEGABYTE, 2 * seeds)
    free = shutil.disk_usage(file.parent).free
    if free >= needed:
        return None
    return DiskSpaceError(
        f"there are {free / MEGABYTE:.0f} MB free in {file.parent}, "
        f"and initialization needs {needed / MEGABYTE:.0f} MB",
        step="preflight",
        code="disk-full",
        remedy="Free some space, or move the database to another disk in profiles.yml. "
        "The limit can be changed with --min-free-mb.",
    )


def wait_for_file(file: Path | None, timeout: float, on_wait: Callable[[str], None]) -> None:
    """Waits while another process keeps a DuckDB file open for writing.

    Args:
        file: The database file; None for no file.
        timeout: How long to wait, in seconds.
        on_wait: Called once with who keeps it open.

    Raises:
        AnotherProcessError: It is still open after the timeout.
    """
    end = time.monotonic() + timeout
    waiting = False
    while file is not None and (pid := _writer_of(file)) is not None:
        who = f"process {pid}{_name_of(pid)}"
        if time.monotonic() >= end:
            raise AnotherProcessError(
                f"the database file {file} is kept open by {who}",
                step="preflight",
                code="file-locked",
                remedy=f"End that process or let it close the database (ps -p {pid}), "
                "then run the command again.",
            )
        if not waiting:
            on_wait(who)
            waiting = True
        time.sleep(0.05)


def _writer_of(file: Path) -> int | None:
    """Returns the process that has locked a file, as DuckDB does; None if there is none or none known."""
    if sys.platform != "linux" or open_here(file):
        return None
    import fcntl
    import struct

    layout = "hhqqi4x"  # struct flock
    try:
        with file.open("rb") as opened:
            question = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = struct.unpack(layout, fcntl.fcntl(opened, fcntl.F_GETLK, question))
    except (OSError, struct.error):
        return None
    return int(answer[4]) if answer[0] != fcntl.F_UNLCK and answer[4] > 0 else None


def open_here(file: Path) -> bool:
    """Returns whether this very process has a file open.

    Such a file must not be opened and closed again: by the rules of POSIX that gives up the locks that
    the database connections of this process hold on it.
    """
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        return any(name in sys.modules for name in ("duckdb", "_duckdb"))
    for descriptor in descriptors.iterdir():
        with suppress(OSError):
            if descriptor.samefile(file):
                return True
    return False


def _name_of(pid: int) -> str:
    """Returns ` (name)` of a process, empty if it is not known."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        return f" ({' '.join(Path(word).name if '/' in word else word for word in words[:3]).strip()})"
    return ""


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
        code="newer-format",
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
