"""How long each node took earlier, from which the remaining time is estimated."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dbt_selfheal.workspace.writing import write_whole


class Durations:
    """Seconds by unique id, kept between runs.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "durations.json"
        self._seconds: dict[str, float] = {}
        with suppress(OSError, ValueError, TypeError):
            found = json.loads(self._file.read_bytes())
            self._seconds = {str(key): float(value) for key, value in found.items()}

    def expected(self, unique_ids: Iterable[str], threads: int = 1) -> float | None:
        """Returns the time expected for nodes, in seconds; None if less than half of them ever ran.

        Args:
            unique_ids: The nodes.
            threads: How many of them are built at once.
        """
        ids = list(unique_ids)
        known = [self._seconds[key] for key in ids if key in self._seconds]
        if not known or len(known) * 2 < len(ids):
            return 0.0 if not ids else None
        return sum(known) / len(known) * len(ids) / max(threads, 1)

    def of(self, unique_id: str) -> float | None:
        """Returns the time that a node took in earlier runs, in seconds; None if it never ran."""
        return self._seconds.get(unique_id)

    def known(self, run_results: Path) -> dict[str, float]:
        """Returns the seconds of all nodes that ever ran, by unique id.

        Args:
            run_results: The artifact of dbt's last command, which counts for nodes that only dbt has built.
        """
        found: dict[str, float] = {}
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            for result in json.loads(run_results.read_bytes())["results"]:
                if result["status"] == "success":
                    found[str(result["unique_id"])] = float(result["execution_time"])
        return {**found, **self._seconds}

    def learn(self, unique_id: str, seconds: float) -> None:
        """Takes down how long a node took, in seconds; later runs weigh more than earlier ones."""
        before = self._seconds.get(unique_id, seconds)
        self._seconds[unique_id] = round(0.5 * before + 0.5 * seconds, 4)

    def save(self) -> None:
        """Keeps what was learnt; a folder that cannot be written to is no error."""
        with suppress(OSError):
            write_whole(self._file, json.dumps(self._seconds))
