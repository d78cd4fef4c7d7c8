"""Files with no more rights than their folder, and through no link of another."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from dbt_selfheal.workspace.recreate import move_aside
from dbt_selfheal.workspace.writing import PRIVATE, make_folder, rights, write_named, write_whole


@pytest.fixture(autouse=True)
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Returns who may do what."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("folder", "file", "private"), [(0o700, 0o600, 0o600), (0o750, 0o640, 0o600), (0o777, 0o666, 0o600)]
)
def test_a_file_has_the_rights_that_its_folder_gives(
    tmp_path: Path, folder: int, file: int, private: int
) -> None:
    tmp_path.chmod(folder)
    assert (rights(tmp_path), rights(tmp_path, PRIVATE)) == (file, private)
    write_whole(tmp_path / "shared", "x")
    write_whole(tmp_path / "private", "x", PRIVATE)
    write_named(tmp_path / "named", "x")
    assert [mode(tmp_path / name) for name in ("shared", "private", "named")] == [file, private, file]
    make_folder(tmp_path / "a" / "b")
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (folder, folder)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "state.json"
    write_whole(file, "one é")
    write_whole(file, "two")
    assert file.read_text(encoding="utf-8") == "two"
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "\udcff")
    assert file.read_text() == "two"
    assert [path.name for path in file.parent.iterdir()] == ["state.json"], "nothing is left behind"


def test_a_link_at_the_place_of_a_file_of_its_own_is_replaced(tmp_path: Path) -> None:
    victim, file = tmp_path / "victim", tmp_path / "state.json"
    victim.write_text("precious")
    file.symlink_to(victim)
    write_whole(file, "x")
    assert (victim.read_text(), file.read_text(), file.is_symlink()) == ("precious", "x", False)


def test_a_folder_that_is_a_link_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="its folder is a link") as caught:
        write_whole(tmp_path / "state" / "file", "x")
    assert (caught.value.errno, caught.value.filename) == (errno.ELOOP, str(tmp_path / "state"))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_is_no_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError):
            make_folder(folder)
    make_folder(tmp_path)


def test_a_named_file_is_replaced_or_added_to_and_may_be_a_link_of_ones_own(tmp_path: Path) -> None:
    file, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(file)
    write_named(link, "first, and long\n")
    write_named(link, "one\n")
    write_named(file, "two é\n", append=True)
    write_named(link, "three\n", append=True)
    assert file.read_text(encoding="utf-8") == "one\ntwo é\nthree\n"
    assert link.is_symlink()
    write_named(Path("/dev/null"), "x", append=True)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to make a link of another user"
)
def test_a_named_file_is_not_written_through_a_link_of_another_user(tmp_path: Path) -> None:
    file, link = tmp_path / "real", tmp_path / "link"
    file.write_text("precious")
    link.symlink_to(file)
    os.lchown(link, 12345, 12345)
    for append in (True, False):
        with pytest.raises(OSError, match="it is a link of another user") as caught:
            write_named(link, "x", append=append)
        assert (caught.value.errno, caught.value.filename) == (errno.ELOOP, str(link))
        assert caught.value.strerror == "it is a link of another user"
    with pytest.raises(FileNotFoundError):
        write_named(tmp_path / "nowhere" / "x", "x")
    assert file.read_text() == "precious"


def test_what_is_moved_aside_keeps_its_content_and_replaces_nothing(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    assert move_aside(file) == []
    moved: list[Path] = []
    for content in ("1", "2", "3"):
        file.write_text(content)
        for suffix in (".wal", "-journal"):
            file.with_name(file.name + suffix).write_text(content + suffix)
        moved += move_aside(file)
    assert [path.read_text() for path in moved] == [n + s for n in "123" for s in ("", ".wal", "-journal")]
    assert len({*moved}) == 9
    assert not file.exists()
    for path in moved:  # the second and third within a second are numbered
        assert re.fullmatch(r"w\.duckdb\.20\d{6}T\d{6}Z(-[23])?(\.wal|-journal)?", path.name)


def test_a_folder_that_another_process_makes_meanwhile_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, looked = tmp_path / "made", list[Path]()
    is_dir = Path.is_dir

    def first_no(path: Path) -> bool:
        if path == folder and not looked:
            looked.append(path)
            folder.mkdir()
            return False
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", first_no)
    make_folder(folder)
    assert looked


def test_what_is_moved_aside_is_named_by_the_time_in_utc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "XYZ-9")
    time.tzset()
    try:
        (tmp_path / "x.duckdb").write_text("")
        before = datetime.now(timezone.utc).replace(microsecond=0)
        [moved] = move_aside(tmp_path / "x.duckdb")
        stamp = datetime.strptime(moved.name, "x.duckdb.%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        assert before <= stamp <= datetime.now(timezone.utc)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator may give a file away")
def test_a_link_of_the_administrator_is_followed(tmp_path: Path) -> None:
    """By every user; a link of another user (here: 1) is not, though the administrator writes."""
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    os.lchown(link, 0, 0)
    write_named(link, "text")
    assert target.read_text() == "text"
    os.lchown(link, 1, 1)
    with pytest.raises(OSError, match="another user"):
        write_named(link, "more")
    assert target.read_text() == "text"
