"""Which way of building is expected to be the faster one."""

from __future__ import annotations

import sys

import pytest
from support import ROOT

sys.path.append(str(ROOT / "src" / "dbt_selfheal" / "engine" / "inside"))  # as in dbt's process
from selfheal_way import choice

CHAIN = {f"n{place}": [f"n{place - 1}"] if place else [] for place in range(10)}
FAN: dict[str, list[str]] = {f"n{place}": [] for place in range(10)}


def known(parents: dict[str, list[str]], seconds: float) -> dict[str, float]:
    return dict.fromkeys(parents, seconds)


@pytest.mark.parametrize(
    ("parents", "seconds", "threads", "nodes", "way"),
    [
        (FAN, 1.0, 4, 100, "native"),  # 3.1 s, and 10 s alone
        (FAN, 1.0, 1, 100, "hook"),
        (FAN, 0.1, 4, 100, "hook"),  # less is saved than a lock in the database is worth
        (FAN, 1.0, 4, 8000, "hook"),  # a build reads and writes all of a large project
        (CHAIN, 60.0, 8, 100, "hook"),  # nothing of a chain can be built side by side
    ],
)
def test_the_way_follows_from_times_threads_and_graph(
    parents: dict[str, list[str]], seconds: float, threads: int, nodes: int, way: str
) -> None:
    chosen, reason = choice(parents, known(parents, seconds), threads, nodes)
    assert chosen == way
    assert reason.startswith("10 are missing, ")


def test_threads_do_not_share_what_python_does() -> None:
    many: dict[str, list[str]] = {f"n{place}": [] for place in range(1000)}
    assert choice(many, known(many, 0.05), 8, 1000)[0] == "hook"
    assert choice(many, known(many, 0.1), 8, 1000)[0] == "native"


def test_what_never_ran_is_expected_to_take_as_long_as_the_others() -> None:
    half = dict.fromkeys(list(FAN)[:5], 2.0)
    assert choice(FAN, half, 5, 100) == (
        "native",
        "10 are missing, about 20.0 s one after the other and 4.1 s with 5 threads, by earlier runs",
    )


def test_where_nothing_is_known_the_number_decides() -> None:
    many: dict[str, list[str]] = {f"n{place}": [] for place in range(40)}
    few = dict(list(many.items())[1:])
    assert choice(few, {}, 4, 100)[0] == "hook"
    assert choice(many, {}, 4, 100) == ("native", "40 are missing, and it is not known how long they take")
