"""What the benchmarks are made of: the comparison of counts, and the proxy that stands for a distance."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

from support import ROOT

sys.path.append(str(ROOT / "benchmarks"))
from counts import COUNTED, Entry, exceeded
from proxy import DelayingProxy


def entry(added: int, *, queries: int = 0) -> Entry:
    """An entry of counts.json in which the package adds so many of each, and more queries."""
    without = dict.fromkeys(COUNTED, 1000)
    ours = dict.fromkeys(COUNTED, 1000 + added)
    ours["queries"] += queries
    return {"title": "", "fast": True, "contenders": {"with": ours, "without": without}}


def test_more_than_one_percent_of_what_the_package_adds_exceeds_the_record() -> None:
    assert exceeded("warm", entry(50_500), entry(50_000)) == []
    assert len(exceeded("warm", entry(50_600), entry(50_000))) == len(COUNTED)
    assert exceeded("warm", entry(40_000), entry(50_000)) == []
    assert exceeded("warm", entry(50_600), entry(50_000), tolerance=0.05) == []


def test_where_dbt_itself_takes_more_calls_the_package_may_in_proportion() -> None:
    """Another patch of dbt that makes half as many calls more is no change of the package."""
    recorded, found = entry(50_000), entry(75_000)
    found["contenders"]["without"]["calls"] = 1500
    found["contenders"]["with"] = {**recorded["contenders"]["with"], "calls": 76_500}
    assert exceeded("warm", found, recorded) == []
    found["contenders"]["with"]["calls"] += 1000
    assert exceeded("warm", found, recorded) == [
        "warm: the package adds 76,000 calls, and 75,000 are recorded"
    ]


def test_one_query_more_exceeds_the_record() -> None:
    found = exceeded("warm", entry(0, queries=2), entry(0))
    assert found == ["warm: the package adds 2 queries, and 0 are recorded"]


def test_two_lines_of_the_log_may_come_by_chance_and_three_do_not() -> None:
    recorded, found = entry(0), entry(0)
    found["contenders"]["with"]["events"] += 2
    assert exceeded("warm", found, recorded) == []
    found["contenders"]["with"]["events"] += 1
    assert exceeded("warm", found, recorded) == ["warm: the package adds 3 events, and 0 are recorded"]


def test_what_is_not_recorded_is_said() -> None:
    assert exceeded("warm", entry(0), None) == ["warm is not recorded"]


def test_the_proxy_delays_and_counts_round_trips_and_not_parts_of_them(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    server.listen()

    def echo() -> None:
        connection, _ = server.accept()
        while data := connection.recv(1_000_000):
            if data.endswith(b"."):
                connection.sendall(b"answer")

    threading.Thread(target=echo, daemon=True).start()
    proxy = DelayingProxy(tmp_path / "socket", 0.1)
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            for count in (1, 2, 3):
                started = time.monotonic()
                client.sendall(b"x" * 100)
                time.sleep(0.15)  # the rest of the request is no round trip of its own
                client.sendall(b"y.")
                assert client.recv(100) == b"answer"
                assert time.monotonic() - started >= 0.15
                assert proxy.round_trips == count
            started = time.monotonic()
            client.sendall(b".")
            assert client.recv(100) == b"answer"
            assert time.monotonic() - started >= 0.1
            assert proxy.round_trips == 4
    finally:
        proxy.close()
        server.close()
