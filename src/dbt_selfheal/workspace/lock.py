"""The lock: one initialization of a database at a time."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from dbt_selfheal.errors import ConcurrentInitializationError, InitializationError
from dbt_selfheal.workspace.project import Workspace


def lock_file(workspace: Workspace) -> Path | None:
    """Returns the lock file of a workspace; None for a database in memory, which no two processes share.

    It is beside the database file of a file database, and one per database and schema for servers. It stays
    there: a lock file that is deleted on release can be held twice.
    """
    if workspace.in_memory:
        return None
    if workspace.database_file is not None:
        return workspace.database_file.with_name(workspace.database_file.name + ".selfheal.lock")
    keys = ("host", "port", "account", "server", "project", "path", "dbname", "database", "catalog")
    where = [workspace.adapter, *(str(workspace.output.get(key)) for key in keys), workspace.schema]
    name = hashlib.sha256("\0".join(where).encode()).hexdigest()[:16]
    return _lock_folder() / f"{workspace.adapter}-{workspace.schema}-{name}.lock"


def _lock_folder() -> Path:
    """Returns a folder for locks of servers, the same for all processes of this user on this machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dbt-selfheal"
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        if os.access(cache, os.W_OK):
            return cache
    import tempfile

    folder = Path(tempfile.gettempdir()) / f"dbt-selfheal-{os.getuid() if hasattr(os, 'getuid') else 'locks'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def hold(
    path: Path | None, timeout: float, on_wait: Callable[[str], None] = lambda _: None
) -> Iterator[Callable[[], None]]:
    """Holds a lock; the operating system frees it when its process dies.

    Args:
        path: The lock file; None for no lock at all.
        timeout: How long to wait for it, in seconds; 0 fails at once.
        on_wait: Called with the holder when it is held by someone else and will be waited for.

    Yields:
        A function that releases it early.

    Raises:
        ConcurrentInitializationError: Someone else holds it, for longer than the timeout.
    """
    if path is None:
        yield lambda: None
        return
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except OSError as error:
        if not isinstance(error, Timeout):
            raise InitializationError(
                f"the lock file {path} cannot be written: {error.strerror}",
                code="selfheal-read-only",
                remedy=f"Give this user the right to write to it: ls -l {path}",
            ) from error
        if timeout > 0:
            on_wait(holder(path) or "its process is not known")
        _wait(lock, path, timeout)
    try:
        with suppress(OSError):
            path.write_text(_description(), encoding="utf-8")
        yield lock.release
    finally:
        lock.release()


def _wait(lock: FileLock, path: Path, timeout: float) -> None:
    """Waits for a lock; raises ConcurrentInitializationError when the time, in seconds, is over."""
    try:
        lock.acquire(timeout=timeout, poll_interval=0.02)
    except Timeout:
        raise ConcurrentInitializationError(path, holder=holder(path)) from None


def _description() -> str:
    """Returns pid, host and start time of this process as JSON."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    return json.dumps({"pid": os.getpid(), "host": platform.node(), "started_at": started}) + "\n"


def holder(path: Path) -> str | None:
    """Returns who holds a lock, such as `process 4711 on host, since 10:00:00`; None if unknown."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return f"process {found['pid']} on {found['host']}, since {found['started_at']}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_held(path: Path | None) -> bool:
    """Returns whether an initialization is running now."""
    if path is None or not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
