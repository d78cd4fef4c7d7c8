"""Files that can be known to be wrong before dbt is started: seeds, the database's folder, disk and file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from dbt_selfheal.errors import (
    AnotherProcessError,
    ConfigurationError,
    DiskSpaceError,
    InitializationError,
)
from dbt_selfheal.workspace.jinja import load_yaml
from dbt_selfheal.workspace.project import Workspace, shown_path
from dbt_selfheal.workspace.writing import make_folder

MEGABYTE = 1_000_000
NAME_LENGTH = 60  # of a process in a message
DEFAULT_MIN_FREE_MB = 100.0


def seed_files(workspace: Workspace) -> Iterator[Path]:
    """Yields the CSV files of the project's own seeds."""
    for folder in _seed_folders(workspace):
        yield from folder.rglob("*.csv")


def badly_encoded_seed(workspace: Workspace) -> Path | None:
    """Returns the first seed file of the project that is not UTF-8, or None."""
    for path in sorted(seed_files(workspace)):
        try:
            with path.open(encoding="utf-8") as file:
                for _ in file:
                    pass
        except UnicodeDecodeError:
            return path
    return None


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
                        place = shown_path(folder / f"{name}.csv")
                        raise ConfigurationError(
                            text,
                            code="selfheal-seed-missing",
                            remedy=f"Put it at {place}, or take it out of {shown_path(path)}.",
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
            make_folder(folder)
            made = folder
    except OSError as error:
        raise _unwritable(
            f"the folder {shown_path(folder)} of the database cannot be made: {error.strerror}", folder
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(f"the folder {shown_path(folder)} of the database cannot be written to", folder)
    if file.exists() and not os.access(file, os.R_OK):
        raise _unwritable(f"the database file {shown_path(file)} cannot be read by this user", file)
    if file.exists() and not os.access(file, os.W_OK):
        raise _unwritable(f"the database file {shown_path(file)} cannot be written to", file)
    return made


def _unwritable(message: str, path: Path) -> InitializationError:
    return InitializationError(
        message,
        step="preflight",
        code="selfheal-read-only",
        remedy=f"Give this user the right to write there (ls -ld {shown_path(path)}), "
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
        f"there are {_size(free)} free in {shown_path(file.parent)}, "
        f"and initialization needs {_size(needed)}",
        step="preflight",
        code="selfheal-disk-full",
        remedy="Free some space, or move the database to another disk in profiles.yml. "
        "The limit can be changed with --min-free-mb.",
    )


def _size(count: float) -> str:
    """Returns a number of bytes for people, never rounded down to nothing."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 100 * size else f"{count / size:.0f} {unit}"
    return f"{count:.0f} bytes"


def wait_for_file(file: Path | None, timeout: float, on_wait: Callable[[str], None]) -> None:
    """Waits while another process keeps a DuckDB file open for writing.

    Args:
        file: The database file; None for no file.
        timeout: How long to wait for one process, in seconds; it begins anew when another has the file open.
        on_wait: Called once with who keeps it open.

    Raises:
        AnotherProcessError: The same one has kept it open for the timeout.
    """
    known, end = 0, 0.0
    waiting = False
    while file is not None and (pid := _writer_of(file)) is not None:
        who = f"process {pid}{_name_of(pid)}"
        if pid != known:
            known, end = pid, time.monotonic() + timeout
        if time.monotonic() >= end:
            since = f", for {timeout:g} s at least" if timeout else ""
            raise AnotherProcessError(
                f"the database file {shown_path(file)} is kept open by {who}{since}",
                step="preflight",
                code="selfheal-file-locked",
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
    """Returns ` (command)` of a process, in one short line; empty if it is not known."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        text = " ".join(Path(word).name if word.startswith("/") else word for word in words[:3])
        line = " ".join(text.split())  # an argument may have several lines
        return f" ({line if len(line) <= NAME_LENGTH else line[: NAME_LENGTH - 3] + '...'})"
    return ""
