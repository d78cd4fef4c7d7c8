"""Health that is asked for often: the newest report, made anew in the background once it is old."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dbt_selfheal import __version__
from dbt_selfheal.errors import InitializationError
from dbt_selfheal.health.report import Report, verdict, without_answer

UNKNOWN: Report = {"verdict": "unknown", "checks": [], "checked_at": None}


class Monitor:
    """Keeps the newest report. Asking takes no time: at most one report is being made, by a thread.

    Args:
        check: Makes a report.
        seconds: When a report is old, in seconds.
    """

    def __init__(self, check: Callable[[], Report], seconds: float) -> None:
        self._check = check
        self._seconds = seconds
        self._lock = threading.Lock()
        self._report: Report | None = None
        self._made_at = 0.0
        self._thread: threading.Thread | None = None

    def report(self) -> Report:
        """Returns the newest report; its verdict is `unknown` until there is one."""
        self.refresh()
        return self._report or UNKNOWN

    def refresh(self) -> threading.Thread | None:
        """Starts making a report if the newest is old; returns the thread that makes one, if any does."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return self._thread
            if self._report is not None and time.monotonic() - self._made_at < self._seconds:
                return None
            self._thread = threading.Thread(target=self._make, name="dbt-selfheal-health", daemon=True)
            self._thread.start()
            return self._thread

    def _make(self) -> None:
        try:
            report = self._check()
        except InitializationError as error:  # such as a package that is not installed: it may be, later
            report = without_answer(None, error, [])
            report.update(verdict=verdict(report["checks"]), version=__version__)
        self._report, self._made_at = report, time.monotonic()


def summary(report: Report) -> Report:
    """Returns what a load balancer or a person needs of a report: the verdict, and the checks in short."""
    keys = ("name", "status", "summary", "what_to_do")
    checks = [{key: check.get(key) for key in keys} for check in report["checks"]]
    return {"verdict": report["verdict"], "checked_at": report["checked_at"], "checks": checks}


def is_fit(report: Report) -> bool:
    """Returns whether a report says that the database can be used: nothing is broken, as far as is known."""
    return report["verdict"] in ("healthy", "degraded")
