"""Writing files: with no more rights than the folder has, and never through a link that leads out of it."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE, SHARED = 0o600, 0o666
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it that are missing, each with no more rights than the one it is in.

    Args:
        folder: The folder; nothing is done if it is there.

    Raises:
        OSError: It cannot be made, or is no folder.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o777 & folder.parent.stat().st_mode, exist_ok=True)


def rights(folder: Path, wanted: int = SHARED) -> int:
    """Returns the rights of a new file in a folder: those wanted that the folder gives, too."""
    return wanted & folder.stat().st_mode


def write_whole(file: Path, text: str, wanted: int = SHARED) -> None:
    """Writes a file that is there whole or not at all, and makes its folder if that is missing.

    A link at its place is replaced, not followed.

    Args:
        file: The file, one of those that this program keeps for itself.
        text: Its new content.
        wanted: The most rights that it may have.

    Raises:
        OSError: It cannot be written, or its folder is a link, which may lead anywhere.
    """
    make_folder(file.parent)
    if file.parent.is_symlink():
        raise OSError(errno.ELOOP, "its folder is a link", str(file.parent))
    new = file.with_name(f"{file.name}.{os.getpid()}.{os.urandom(4).hex()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
    try:
        with os.fdopen(os.open(new, flags, rights(file.parent, wanted)), "w", encoding="utf-8") as opened:
            opened.write(text)
        new.replace(file)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def write_named(file: Path, text: str, *, append: bool = False) -> None:
    """Writes a file that somebody has named, which may be a link or a device.

    A link is followed if this user or the system's administrator has made it, and not if another user has.

    Args:
        file: The file.
        text: What is written.
        append: Whether it comes after what is there; else in its place.

    Raises:
        OSError: It cannot be written, or is another user's link.
    """
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
    if not _is_own_link(file):
        flags |= _NO_LINK
    try:
        descriptor = os.open(file, flags, rights(file.parent))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link of another user", str(file)) from error
        raise
    with os.fdopen(descriptor, "a" if append else "w", encoding="utf-8") as opened:
        opened.write(text)


def _is_own_link(file: Path) -> bool:
    """Returns whether a path is a link that this user or the administrator has made."""
    with suppress(FileNotFoundError):
        found = file.lstat()
        return stat.S_ISLNK(found.st_mode) and (
            not hasattr(os, "geteuid") or found.st_uid in (0, os.geteuid())
        )
    return False
