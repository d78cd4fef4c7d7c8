"""The attempts of this machine in a project: what the last ones did, and a pause when they keep failing."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dbt_selfheal.workspace.writing import write_whole

Attempt = dict[str, Any]
KEPT = 50
FAILURES = 5
WINDOW = timedelta(minutes=10)
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0


class AttemptLog:
    """The last attempts, as JSON lines beside the wrapper's other state; deleting the file is harmless.

    Args:
        folder: The state folder of the workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "attempts.jsonl"

    def read(self) -> list[Attempt]:
        """Returns the attempts, the newest last; what cannot be read is left out."""
        found = []
        with suppress(OSError):
            for line in self._file.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError):
                    attempt = json.loads(line)
                    if _is_attempt(attempt):
                        found.append(attempt)
        return found

    def add(self, attempt: Attempt) -> None:
        """Adds an attempt, and drops the oldest when there are too many."""
        lines = [json.dumps(each, default=str) for each in [*self.read(), attempt][-KEPT:]]
        with suppress(OSError):
            write_whole(self._file, "\n".join(lines) + "\n")

    def failures(self, moment: datetime) -> list[Attempt]:
        """Returns the attempts that have failed in a row, within the time before a moment."""
        failed: list[Attempt] = []
        for attempt in reversed(self.read()):
            if attempt["state"] != "failed" or _moment(attempt) < moment - WINDOW:
                break
            failed.append(attempt)
        return failed[::-1]

    def pause(self, moment: datetime) -> float:
        """Returns how long to wait before the next attempt, in seconds; 0 when it may begin at once."""
        failed = self.failures(moment)
        if len(failed) < FAILURES:
            return 0.0
        pause = min(FIRST_PAUSE * 2.0 ** (len(failed) - FAILURES), LONGEST_PAUSE)
        since = max(0.0, (moment - _moment(failed[-1])).total_seconds())  # a clock may be set back
        return max(0.0, pause - since)


def in_a_line(error: str) -> str:
    """Returns the first line of an error; where that ends with a colon, with what it announces."""
    first, *others = error.splitlines() or [""]
    return f"{first} {'; '.join(map(str.strip, others))}" if first.endswith(":") and others else first


def _is_attempt(attempt: object) -> bool:
    if not isinstance(attempt, dict) or not isinstance(attempt.get("duration_seconds"), int | float):
        return False
    try:
        return "state" in attempt and _moment(attempt, "started_at") <= _moment(attempt)
    except (KeyError, ValueError, TypeError):
        return False


def _moment(attempt: Attempt, key: str = "completed_at") -> datetime:
    return datetime.fromisoformat(str(attempt[key]).replace("Z", "+00:00"))
