"""Moving a database file aside, so that the next initialization begins with a new one."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

COMPANIONS = (".wal", "-wal", "-shm", "-journal", ".tmp")


def move_aside(file: Path) -> list[Path]:
    """Renames a database file and what belongs to it, with a time stamp; deletes nothing.

    Args:
        file: The database file.

    Returns:
        The new paths; the database file's own is first. Empty if there is no file.
    """
    if not file.exists():
        return []
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    new = file.with_name(f"{file.name}.{stamp}")
    count = 1
    while new.exists():
        count += 1
        new = file.with_name(f"{file.name}.{stamp}-{count}")
    moved = [file.rename(new)]
    for suffix in COMPANIONS:
        companion = file.with_name(file.name + suffix)
        if companion.exists():
            moved.append(companion.rename(new.with_name(new.name + suffix)))
    return moved
