"""Times and lines, as people and programs read them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest


class Log:
    """Stands for dbt's `log`, and keeps what it gets."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bool]] = []

    def __call__(self, text: str, info: bool = False) -> str:
        self.calls.append((text, info))
        return ""


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02T00:00:00.000Z"),
        (datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc), "1999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_iso_8601_in_utc_to_the_millisecond(macro, moment: datetime, text: str):
    assert macro("_iso")(moment) == text


def test_now_is_in_utc(macro):
    now = macro("_now")()
    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - now) < timedelta(seconds=10)


def test_a_line_has_its_status_where_dbt_has_it(macro):
    log = Log()
    macro("_line", context={"log": log})("1 of 2 START seed main.bands (seeds/bands.csv)", "RUN")
    ((text, info),) = log.calls
    assert info is True
    assert text.startswith("1 of 2 START seed main.bands (seeds/bands.csv) ....")
    assert text.endswith(" [RUN]")
    assert text.index("[") == 81


def test_a_long_line_keeps_three_dots(macro):
    log = Log()
    macro("_line", context={"log": log})("x" * 100, "RUN")
    assert log.calls == [("x" * 100 + " ... [RUN]", True)]


def test_a_line_without_status_is_just_the_text(macro):
    log = Log()
    macro("_line", context={"log": log})("Self-healing: ready")
    assert log.calls == [("Self-healing: ready", True)]


def test_an_event_is_one_json_object_at_debug_level(macro):
    log = Log()
    fields: dict[str, Any] = {"a": 1, "b": ["x", None], "c": True, "d": 'quote " and \n newline'}
    macro("_emit", context={"log": log})("some_event", fields)
    ((text, info),) = log.calls
    assert info is False
    assert json.loads(text) == {"event": "some_event", **fields}
    assert "\n" not in text
