"""The lock: one initialization of a database at a time."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from dbt_selfheal.errors import ConcurrentInitializationError, InitializationError
from dbt_selfheal.workspace.project import Workspace
from dbt_selfheal.workspace.writing import make_folder, rights

LOOK_AGAIN_SECONDS = 0.25  # whether the lock has changed hands
ALIVE_SECONDS = 1.0  # how often a holder shows that it is alive
PATIENCE = 60  # how many times the limit one that is alive is waited for


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
    with suppress(OSError, RuntimeError):  # RuntimeError: a user without a home
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dbt-selfheal"
        make_folder(cache)
        if os.access(cache, os.W_OK):
            return cache
    import tempfile

    user = os.getuid() if hasattr(os, "getuid") else None
    folder = Path(tempfile.gettempdir()) / f"dbt-selfheal-{'locks' if user is None else user}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or (user is not None and found.st_uid != user):
        raise InitializationError(
            f"the folder for locks {folder} is another user's, or no folder",
            code="selfheal-read-only",
            remedy="Set XDG_CACHE_HOME to a folder that only this user may write to, or remove that one.",
        )
    return folder


@contextmanager
def hold(
    path: Path | None, timeout: float, on_wait: Callable[[str], None] = lambda _: None
) -> Iterator[Callable[[], None]]:
    """Holds a lock; the operating system frees it when its process dies.

    Args:
        path: The lock file; None for no lock at all.
        timeout: How long to wait for a holder that shows no sign of life, in seconds; it begins anew with
            each sign, and when the lock changes hands. One that is alive, and has a time limit of its own, is
            waited for 60 times as long. 0 fails at once.
        on_wait: Called with the holder when it is held by someone else and will be waited for.

    Yields:
        A function that releases it early.

    Raises:
        ConcurrentInitializationError: Someone else holds it, for longer than it is waited for.
        InitializationError: The lock file cannot be written, or is a link.
    """
    if path is None:
        yield lambda: None
        return
    try:
        lock = _lock(path)
        lock.acquire(timeout=0)
    except Timeout:
        if timeout > 0:
            on_wait(holder(path) or "its process is not known")
        _wait(lock, path, timeout)
    except OSError as error:
        raise _unwritable(path, error) from error
    over = threading.Event()

    def release() -> None:
        over.set()
        lock.release()

    try:
        with suppress(OSError):
            _describe(path)
        threading.Thread(target=_show_life, args=(path, over), daemon=True).start()
        yield release
    finally:
        release()


def _show_life(path: Path, over: threading.Event) -> None:
    """Gives the file of a lock that this process holds the time of now, again and again until it is over."""
    follow = os.utime not in os.supports_follow_symlinks
    while not over.wait(ALIVE_SECONDS):
        with suppress(OSError):
            os.utime(path, follow_symlinks=follow)


def _lock(path: Path) -> FileLock:
    """Returns a lock whose file whoever may write to the folder may hold; links are not followed."""
    return FileLock(path, mode=rights(path.parent))


def _unwritable(path: Path, error: OSError) -> InitializationError:
    is_link = path.is_symlink()
    remedy = (
        f"Remove the link: rm {path}" if is_link else f"Give this user the right to write to it: ls -l {path}"
    )
    reason = "it is a link" if is_link else error.strerror
    return InitializationError(
        f"the lock file {path} cannot be written: {reason}", code="selfheal-read-only", remedy=remedy
    )


def _wait(lock: FileLock, path: Path, timeout: float) -> None:
    """Waits for a lock, for one holder at a time.

    Raises:
        ConcurrentInitializationError: One and the same has held it, without a sign of life for the timeout,
            in seconds, or with some for PATIENCE times as long.
    """
    known, seen = "", -1
    since = alive = time.monotonic()
    while True:
        who, sign, now = _description(path), _sign(path), time.monotonic()
        if who not in ("", known):
            known, since, alive = who, now, now
        elif sign != seen:
            alive = now
        seen = sign
        silent, tired = alive + timeout, since + PATIENCE * timeout
        left = min(silent, tired) - now
        try:
            lock.acquire(timeout=min(max(left, 0.0), LOOK_AGAIN_SECONDS), poll_interval=0.02)
            return
        except Timeout:
            if left <= LOOK_AGAIN_SECONDS and _description(path) in ("", known) and _sign(path) == seen:
                gave_up = _gave_up(timeout, is_alive=tired < silent) if timeout else None
                raise ConcurrentInitializationError(path, holder=holder(path), gave_up=gave_up) from None


def _gave_up(timeout: float, *, is_alive: bool) -> str:
    """Returns how long a holder was waited for in vain, as the end of a sentence."""
    if is_alive:
        return f"gave up after {PATIENCE * timeout:g} s ({PATIENCE} times the limit), though it is alive"
    return f"gave up after {timeout:g} s in which it showed no sign of life"


def _sign(path: Path) -> int:
    """Returns when the holder of a lock has last shown that it is alive, in nanoseconds; 0 if unknown."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _describe(path: Path) -> None:
    """Writes pid, host and start time of this process, which holds the lock, into its file, as JSON."""
    started = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = json.dumps({"pid": os.getpid(), "host": platform.node(), "started_at": started}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)


def _description(path: Path) -> str:
    """Returns what the holder of a lock, or the one before, has written into its file; empty if unknown."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


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
    try:
        lock = _lock(path)
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
