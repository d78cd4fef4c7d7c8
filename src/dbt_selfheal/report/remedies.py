"""The catalogue of errors: what a message of dbt or a database means, and what to do about it."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dbt_selfheal.errors import (
    AnotherProcessError,
    ConcurrentInitializationError,
    ConfigurationError,
    DatabaseCorruptionError,
    DiskSpaceError,
    InitializationError,
)
from dbt_selfheal.workspace.lock import lock_file
from dbt_selfheal.workspace.project import Workspace, shown_path

UNKNOWN = (
    "Read the message above; the whole log is in {project_dir}/logs/dbt.log. Then run the same command again."
)
_CLASSES: dict[str, type[InitializationError]] = {
    "file-locked": AnotherProcessError,
    "disk-full": DiskSpaceError,
    "dependency-missing": ConfigurationError,
    "database-package-missing": ConfigurationError,
    "required-unknown": ConfigurationError,
    "env-var-missing": ConfigurationError,
    "profile-missing": ConfigurationError,
    "target-missing": ConfigurationError,
    "adapter-missing": ConfigurationError,
    "dbt-version": ConfigurationError,
    "adapter-version": ConfigurationError,
    "project-missing": ConfigurationError,
    "seed-missing": ConfigurationError,
    "yaml-invalid": ConfigurationError,
}


@dataclass(frozen=True)
class Remedy:
    """One entry of the catalogue."""

    code: str
    adapters: frozenset[str]
    pattern: re.Pattern[str]
    what_happened: str
    what_to_do: str


@dataclass(frozen=True)
class Finding:
    """An entry that fits a message, with its placeholders filled in."""

    code: str
    what_happened: str
    what_to_do: str


@lru_cache(maxsize=1)
def catalogue() -> tuple[Remedy, ...]:
    """Returns the entries in the order in which they are tried."""
    with _file().open(encoding="utf-8", newline="") as file:
        return tuple(
            Remedy(
                code=row["code"],
                adapters=frozenset(filter(None, row["adapters"].split("|"))),
                pattern=re.compile(row["pattern"], re.DOTALL),
                what_happened=row["what_happened"],
                what_to_do=row["what_to_do"],
            )
            for row in csv.DictReader(file)
        )


def _file() -> Path:
    """Returns the catalogue: in an installation beside this module, in the repository under seeds/."""
    here = Path(__file__)
    installed = here.with_name("remedies.csv")
    return installed if installed.exists() else here.parents[3] / "seeds" / "remedies.csv"


def find(
    text: str, workspace: Workspace | None = None, node: Mapping[str, Any] | None = None
) -> Finding | None:
    """Returns the first entry of the catalogue that fits a message, or None.

    Args:
        text: The message.
        workspace: Where it happened; entries of other adapters are left out.
        node: The step of the plan at which it happened.
    """
    for remedy in catalogue():
        if remedy.adapters and workspace is not None and workspace.adapter not in remedy.adapters:
            continue
        match = remedy.pattern.search(text)
        if match is not None:
            values = _Placeholders(_context(workspace, node))
            for key, value in match.groupdict().items():
                if value is not None:  # alternatives in one pattern number their groups: name, name2
                    values[key.rstrip("0123456789")] = value
            return Finding(
                remedy.code, remedy.what_happened.format_map(values), remedy.what_to_do.format_map(values)
            )
    return None


class _Placeholders(dict[str, Any]):
    """Values by name; one that is not known is written as `...`."""

    def __missing__(self, key: str) -> str:
        return "..."


def _context(workspace: Workspace | None, node: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Returns the values of the placeholders that do not depend on the message."""
    path = node["path"] if node else "the file that the message names"
    if workspace is None:
        return {"path": path}
    file = workspace.database_file
    return {
        "path": path,
        "project_dir": shown_path(workspace.project_dir),
        "profiles_file": shown_path(workspace.profiles_file),
        "profile": workspace.profile,
        "target": workspace.target,
        "adapter": workspace.adapter,
        "database_file": shown_path(file) if file else "the database",
        "database_folder": shown_path(file.parent) if file else "",
        "target_path": shown_path(workspace.target_path),
    }


def error_from(
    messages: list[str],
    workspace: Workspace,
    *,
    step: str | None = None,
    node: Mapping[str, Any] | None = None,
) -> InitializationError:
    """Returns the error that the messages of a failed dbt mean.

    Args:
        messages: The error messages, in their order; free of credentials.
        workspace: Where it happened.
        step: The step that failed.
        node: The step of the plan that was being built.

    Returns:
        The error, with code and remedy; what is not in the catalogue has a general one.
    """
    texts = [text for text in messages if text.strip()] or ["dbt ended without a message"]
    where = f" (building {node['resource_type']} {node['name']}, {node['path']})" if node else ""
    if node and node["resource_type"] == "migration":  # the catalogue has entries of its own for these
        texts = [f"in the migration {node['name']} ({node['path']}):\n{_plain(text)}" for text in texts]
        where = ""
    for text in [*texts, "\n".join(texts)]:
        found = find(text, workspace, node)
        if found is None:
            continue
        message = f"{found.what_happened}{where}\n{_plain(text)}"
        file = workspace.database_file
        error: InitializationError
        if found.code == "corrupt-file" and file is not None:
            error = DatabaseCorruptionError(file, details=_plain(text))
        elif found.code == "concurrent":
            error = ConcurrentInitializationError(lock_file(workspace) or Path(), holder=_plain(text))
        else:
            error = _CLASSES.get(found.code, InitializationError)(message)
        error.code, error.remedy, error.step = found.code, found.what_to_do, step
        return error
    return InitializationError(
        _plain(texts[0]) + where,
        step=step,
        code="unknown",
        remedy=UNKNOWN.format(project_dir=shown_path(workspace.project_dir)),
    )


def _plain(text: str) -> str:
    """Returns a message of dbt without its colours, its first, general line, and the name of this package."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text).strip()
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    while len(lines) > 1 and re.match(
        r"(Encountered an error|Failure in|\w+ Error( in .*)?$)", lines[0].strip()
    ):
        if " in " in lines[0] and "Error in" in lines[0]:
            break
        lines.pop(0)
    # dbt's own prefix of an error that a macro raises
    return "\n".join(line.strip().removeprefix("ERROR: dbt_selfheal: ") for line in lines[:20])
