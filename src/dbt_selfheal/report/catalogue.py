"""The catalogue of errors, `remedies.csv`: each code with what happened, why, what to do, and an example."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

PREFIX = "selfheal-"
# What stands for values that are not known when no error has happened: in `explain` and docs/errors.md.
GENERAL = {
    "project_file": "dbt_project.yml",
    "profiles_file": "profiles.yml",
    "seeds_folder": "seeds/",
    "log_file": "logs/dbt.log",
    "target_path": "target",
    "database_file": "FILE",
    "database_folder": "FOLDER",
    "path": "the file that the message names",
    "profile": "PROFILE",
    "target": "TARGET",
    "adapter": "ADAPTER",
    "name": "NAME",
    "file": "FILE",
    "pid": "PID",
    "seconds": "SECONDS",
}


@dataclass(frozen=True)
class Remedy:
    """One row of the catalogue: a message that means an error, and what to do about it."""

    code: str
    exit_code: int
    adapters: frozenset[str]  # empty: all
    nodes: frozenset[str]  # of which resource types the node must be; empty: of any, or none
    pattern: re.Pattern[str] | None  # None: the error is raised by dbt-selfheal, with its own message
    what_happened: str
    why: str
    what_to_do: str
    example: str

    def fits(self, adapter: str | None, resource_type: str | None) -> bool:
        """Returns whether the row is for an adapter, if that is known, and for a kind of node."""
        for_adapter = not self.adapters or adapter is None or adapter in self.adapters
        return for_adapter and (not self.nodes or resource_type in self.nodes)


@lru_cache(maxsize=1)
def catalogue() -> tuple[Remedy, ...]:
    """Returns the rows in the order in which they are tried."""
    with _file().open(encoding="utf-8", newline="") as file:
        return tuple(
            Remedy(
                code=row["code"],
                exit_code=int(row["exit_code"]),
                adapters=frozenset(filter(None, row["adapters"].split("|"))),
                nodes=frozenset(filter(None, row["nodes"].split("|"))),
                pattern=re.compile(row["pattern"], re.DOTALL) if row["pattern"] else None,
                what_happened=row["what_happened"],
                why=row["why"],
                what_to_do=row["what_to_do"],
                example=row["example"],
            )
            for row in csv.DictReader(file)
        )


def codes() -> dict[str, list[Remedy]]:
    """Returns the rows of each code, by code in the order of the alphabet."""
    found: dict[str, list[Remedy]] = {}
    for remedy in catalogue():
        found.setdefault(remedy.code, []).append(remedy)
    return dict(sorted(found.items()))


def full_code(text: str) -> str:
    """Returns a code with its prefix, however it was typed."""
    code = text.strip().lower().replace("_", "-")
    return code if code.startswith(PREFIX) else PREFIX + code


class Placeholders(dict[str, Any]):
    """Values by name; one that is not known is what GENERAL has for it."""

    def __missing__(self, key: str) -> str:
        return GENERAL.get(key, "...")


def filled(text: str, values: Mapping[str, Any] | None = None) -> str:
    """Returns a text of the catalogue with its placeholders filled in.

    Args:
        text: The text.
        values: The values by name; None for the general words.
    """
    return text.format_map(Placeholders(values or {}))


def _file() -> Path:
    """Returns the catalogue: in an installation beside this module, in the repository under seeds/."""
    here = Path(__file__)
    installed = here.with_name("remedies.csv")
    return installed if installed.exists() else here.parents[3] / "seeds" / "remedies.csv"
