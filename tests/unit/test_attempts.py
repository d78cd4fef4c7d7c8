"""The pause after repeated failures."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from dbt_selfheal.report.attempts import KEPT, AttemptLog, in_a_line
from dbt_selfheal.report.recorder import iso

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def log_of(folder: Path, *attempts: tuple[str, float]) -> AttemptLog:
    """Returns a log of attempts, given as state and minutes before NOW."""
    log = AttemptLog(folder)
    for state, minutes in attempts:
        end = iso(NOW - timedelta(minutes=minutes))
        log.add({"state": state, "started_at": end, "completed_at": end, "duration_seconds": 0.0})
    return log


def test_an_error_in_a_line_is_told_whole_where_it_is_a_list() -> None:
    assert in_a_line("2 cannot be built:\n  model a\n  model b") == "2 cannot be built: model a; model b"
    assert in_a_line("it failed\nfor a reason") == "it failed"
    assert (in_a_line(""), in_a_line("it failed:")) == ("", "it failed:")


@pytest.mark.parametrize(
    ("failures", "pause"), [(0, 0), (4, 0), (5, 5), (6, 10), (7, 20), (8, 40), (9, 60), (20, 60)]
)
def test_the_pause_grows_from_the_fifth_failure_in_a_row(tmp_path: Path, failures: int, pause: float) -> None:
    assert log_of(tmp_path, *[("failed", 0.0)] * failures).pause(NOW) == pause


def test_the_pause_counts_from_the_last_failure(tmp_path: Path) -> None:
    log = log_of(tmp_path, *[("failed", 1.0)] * 9, ("failed", 0.5))
    assert log.pause(NOW) == 30
    assert log.pause(NOW + timedelta(seconds=200)) == 0


def test_the_pause_has_a_bound_when_the_clock_is_set_back(tmp_path: Path) -> None:
    log = log_of(tmp_path, *[("failed", 0.0)] * 20)
    assert log.pause(NOW - timedelta(hours=3)) == 60


def test_a_success_or_ten_minutes_end_it(tmp_path: Path) -> None:
    log = log_of(tmp_path, *[("failed", 1.0)] * 6)
    assert log.pause(NOW) == 0  # the pause after six failures is 10 s, and a minute has passed
    assert len(log.failures(NOW)) == 6
    assert len(log.failures(NOW + timedelta(minutes=9))) == 6
    assert log.failures(NOW + timedelta(minutes=10)) == []
    log_of(tmp_path, ("completed", 0.0))
    assert log.failures(NOW) == []


def test_only_the_last_ones_are_kept_and_damage_is_no_obstacle(tmp_path: Path) -> None:
    log = log_of(tmp_path, *[("failed", 0.0)] * (KEPT + 5))
    assert len(log.read()) == KEPT
    (tmp_path / "attempts.jsonl").write_text("no json\n[]\n{}\n")
    assert log.read() == []
    log_of(tmp_path, ("failed", 0.0))
    assert len(log.read()) == 1


def test_what_cannot_be_written_or_is_no_attempt_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log_of(tmp_path / "file", ("failed", 0.0))  # its folder cannot be made
    end, before = iso(NOW), iso(NOW - timedelta(minutes=1))
    entry = {
        "state": "failed",
        "started_at": before,
        "completed_at": end,
        "duration_seconds": 1,
        "more": tmp_path,
    }
    log = AttemptLog(tmp_path)
    log.add(entry)
    for wrong in ({"state": None}, {"started_at": end, "completed_at": before}, {"duration_seconds": "1"}):
        left_out = {**entry, **wrong}
        log.add({key: value for key, value in left_out.items() if value is not None})
    assert [found["more"] for found in log.read()] == [str(tmp_path)]


@pytest.mark.parametrize("started_at", ["never", None, 7, "2026-01-02T03:04:05"])
def test_an_attempt_without_a_moment_is_none(tmp_path: Path, started_at: object) -> None:
    """Text, nothing, a number; and one without a time zone, which cannot be compared."""
    entry = {
        "state": "failed",
        "started_at": started_at,
        "completed_at": iso(NOW),
        "duration_seconds": 1,
    }
    (tmp_path / "attempts.jsonl").write_text(json.dumps(entry) + "\n")
    assert AttemptLog(tmp_path).read() == []
