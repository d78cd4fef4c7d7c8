"""When a holder of the lock is given up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

AGAIN = ". Run the same command again when it is done, or raise vars.dbt_selfheal."
IDLE = f"Gave up after 60 s in which it did nothing{AGAIN}lock_timeout_seconds."
UNKNOWN = f"Gave up after 60 s{AGAIN}lock_timeout_seconds."
TIRED = f"Gave up after 3600 s (60 times the limit), though it is at work{AGAIN}lock_timeout_seconds."
OVER = f"Gave up after 300 s, though it is at work{AGAIN}timeout_seconds."
SETTINGS = {"lock_timeout_seconds": 60, "timeout_seconds": None}
HOLDER = ("backend pid 7 of user ada, idle for 3 s", "a")

LOADED = datetime.now(timezone.utc)  # the moments below are as of then, and the tests run later


def ago(seconds: float) -> datetime:
    """Returns a moment of the past."""
    return LOADED - timedelta(seconds=seconds)


def wait(
    since: float, seen: float, begun: float = 0, who: str = "backend pid 7 of user ada"
) -> dict[str, Any]:
    """Returns what is known of a holder: since when it is looked at, and its last sign, in seconds ago."""
    return {"begun": ago(begun or since), "who": who, "since": ago(since), "sign": "a", "seen": ago(seen)}


@pytest.mark.parametrize(
    ("known", "holder", "settings", "expected"),
    [
        ({"begun": ago(50)}, HOLDER, {}, None),
        (wait(59, 59), HOLDER, {}, None),
        (wait(61, 61), HOLDER, {}, IDLE),
        (wait(61, 61), (HOLDER[0], "b"), {}, None),
        (wait(61, 61), ("backend pid 7 of user ada, active for 61 s", "a"), {}, IDLE),
        (wait(61, 61), ("backend pid 8 of user ada", "a"), {}, None),
        (wait(61, 61), (None, None), {}, UNKNOWN),
        (wait(61, 61, who=""), (None, None), {}, UNKNOWN),
        (wait(3599, 1), HOLDER, {}, None),
        (wait(3601, 1), HOLDER, {}, TIRED),
        (wait(3601, 1), (HOLDER[0], "b"), {}, TIRED),
        (wait(3601, 1), ("backend pid 8 of user ada", "a"), {}, None),
        (wait(100, 1, begun=299), HOLDER, {"timeout_seconds": 300}, None),
        (wait(100, 1, begun=301), HOLDER, {"timeout_seconds": 300}, OVER),
        (wait(100, 1, begun=301), ("backend pid 8 of user ada", "a"), {"timeout_seconds": 300}, OVER),
        (
            {"begun": ago(0)},
            HOLDER,
            {"lock_timeout_seconds": 0},
            f"Gave up after 0 s{AGAIN}lock_timeout_seconds.",
        ),
    ],
)
def test_a_holder_is_given_up_that_does_nothing_or_works_for_very_long(
    macro: Any,
    known: dict[str, Any],
    holder: tuple[str | None, str | None],
    settings: dict[str, Any],
    expected: str | None,
) -> None:
    later = datetime.now(timezone.utc) - LOADED
    seen = {key: at + later if isinstance(at, datetime) else at for key, at in known.items()}
    assert macro("_given_up")(seen, holder, {**SETTINGS, **settings}) == expected


def test_what_was_seen_is_kept_until_the_next_look(macro: Any) -> None:
    given_up = macro("_given_up")
    seen: dict[str, Any] = {"begun": ago(10)}
    assert given_up(seen, HOLDER, SETTINGS) is None
    first = dict(seen)
    assert (first["who"], first["sign"]) == ("backend pid 7 of user ada", "a")
    assert first["since"] == first["seen"]
    assert given_up(seen, HOLDER, SETTINGS) is None
    assert seen == first
    assert given_up(seen, (HOLDER[0], "b"), SETTINGS) is None
    assert (seen["since"], seen["sign"]) == (first["since"], "b")
    assert seen["seen"] > first["seen"]
    second = dict(seen)
    assert given_up(seen, (None, None), SETTINGS) is None
    assert seen == second
    assert given_up(seen, ("backend pid 8 of user ada", "b"), SETTINGS) is None
    assert seen["who"] == "backend pid 8 of user ada"
    assert seen["since"] == seen["seen"] > second["seen"]
