"""What a message of dbt, of a database or of the package means, as an error that says what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

from dbt_selfheal.errors import (
    AnotherProcessError,
    ConcurrentInitializationError,
    ConfigurationError,
    DatabaseCorruptionError,
    DiskSpaceError,
    InitializationError,
    InitializationTimeoutError,
)
from dbt_selfheal.report.catalogue import GENERAL, Placeholders, Remedy, catalogue
from dbt_selfheal.workspace.lock import lock_file
from dbt_selfheal.workspace.project import Workspace, shown_path

UNKNOWN = "selfheal-unknown"
_CLASSES: dict[int, type[InitializationError]] = {6: DiskSpaceError, 7: ConfigurationError}
# With one of these begins what the package itself, or another message, says is to be done.
_ADVICE = re.compile(
    r"(?:^|(?<=[.:?] )|(?<=\n))\s*"
    r"(?:What to do:\s*"
    r"|(?=(?:Did you mean|Fix it|Correct |Build |Load |Enable |Add it|End that|Look for|Select what|Read it"
    r"|The (?:seed|model|snapshot) \S+ \(\S+\) makes it|Put (?:the|it) |Run |Wait |Apply |Name the "
    r"|Write it |Take back |Save it|Give |Change |Do |Restore |Insert )"
    r"|Values that hold the delimiter))"
)
# What dbt writes before a message, and the macros that led to it, which are those of healing.
_GENERAL = re.compile(
    r"(?:\[ERROR\]: )?(?:Encountered an error|Failure in|\w+ Error$"
    r"|\w+ Error in (?:macro (?:ensure_initialized|initialization_\w+)|operation dbt_selfheal-on-run-start))"
)
_CHAIN = re.compile(r"\s*> (?:in|called by) (?:macro|operation) ")
MESSAGE_LINES = 8
# These name several things, each with what is to be done about it: they stay as they are.
_ADVICE_FOR_EACH = ("selfheal-migrations-blocked",)
_OURS = re.compile(r"^(?:ERROR: )?dbt_selfheal(?:_database)?: ")
_CODE = re.compile(r"\[?\b(selfheal-[a-z][a-z-]*[a-z])\b\]?:?\s*")


@dataclass(frozen=True)
class Finding:
    """A row of the catalogue that fits a message, with its placeholders filled in."""

    code: str
    exit_code: int
    what_happened: str
    what_to_do: str


def find(
    text: str, workspace: Workspace | None = None, node: Mapping[str, Any] | None = None
) -> Finding | None:
    """Returns the first row of the catalogue that fits a message, or None; a code in the message decides.

    Args:
        text: The message.
        workspace: Where it happened; rows of other adapters are left out.
        node: The step of the plan at which it happened; rows for other kinds of nodes are left out.
    """
    named = _CODE.search(text)
    kind = str(node["resource_type"]) if node else None
    adapter = workspace.adapter if workspace is not None else None
    rows = [row for row in catalogue() if row.fits(adapter, kind)]
    for row in rows:
        if named and row.code == named[1]:
            return _finding(row, row.pattern.search(text) if row.pattern else None, workspace, node)
    for row in rows:
        match = row.pattern.search(text) if row.pattern else None
        if match is not None:
            return _finding(row, match, workspace, node)
    return None


def _finding(
    row: Remedy, match: re.Match[str] | None, workspace: Workspace | None, node: Mapping[str, Any] | None
) -> Finding:
    values = Placeholders()
    for key, value in (match.groupdict() if match else {}).items():
        if value is not None:  # alternatives in one pattern number their groups: name, name2
            values[key.rstrip("0123456789")] = value
    values.update(_context(workspace, node))
    return Finding(
        row.code, row.exit_code, row.what_happened.format_map(values), row.what_to_do.format_map(values)
    )


def _context(workspace: Workspace | None, node: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns the values of the placeholders that do not depend on the message."""
    values = {"path": node["path"]} if node else {}
    if workspace is None:
        return values
    file = workspace.database_file
    return {
        **values,
        "project_file": shown_path(workspace.project_dir / "dbt_project.yml"),
        "seeds_folder": shown_path(workspace.seed_folder) + "/",
        "profiles_file": shown_path(workspace.profiles_file),
        "log_file": shown_path(workspace.log_file),
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
    place = ""
    where = f" (building {node['resource_type']} {node['name']}, {node['path']})" if node else ""
    if node and node["resource_type"] == "migration":  # the catalogue has rows of its own for these
        texts = [f"in the migration {node['name']} ({node['path']}):\n{_plain(text)}" for text in texts]
        where = ""
    elif node and node["resource_type"] == "initial data":
        place, where = f"in the initial data of {node['name']}:\n", ""
        texts = [text if is_ours(text) else f"{place}{_plain(text)}" for text in texts]
    for text in [*texts, "\n".join(texts)]:
        found = find(text, workspace, node)
        if found is not None:
            break
    else:
        text = texts[0]
        row = next(row for row in catalogue() if row.code == UNKNOWN)
        found = _finding(row, None, workspace, node)
    said, advice = parted(text.removeprefix(place))
    if found.code == "selfheal-seed-encoding" and node is None:
        found, where = _with_seed(found, workspace, where)
    if found.code in _ADVICE_FOR_EACH and advice is not None:
        said, advice = f"{said}\n{advice}", None
    ours = advice is not None or is_ours(text)  # it says itself what happened
    general = found.what_happened if not ours and found.code != UNKNOWN else None
    message = f"{general.rstrip('.')}{where}.\n{said}" if general else f"{said}{where}"
    error = _error(found, message, said, workspace)
    error.code, error.remedy, error.step = found.code, advice or found.what_to_do, step
    return error


def _with_seed(found: Finding, workspace: Workspace, where: str) -> tuple[Finding, str]:
    """Names the seed that cannot be decoded: dbt reads all of them first, and does not say which."""
    from dbt_selfheal.workspace.files import badly_encoded_seed

    file = badly_encoded_seed(workspace)
    if file is None:
        return found, where
    remedy = found.what_to_do.replace(GENERAL["path"], shown_path(file))
    return replace(found, what_to_do=remedy), f" ({shown_path(file)})"


def _error(found: Finding, message: str, said: str, workspace: Workspace) -> InitializationError:
    """Returns an error of the class that a code means."""
    file = workspace.database_file
    if found.exit_code == InitializationTimeoutError.exit_code:
        error: InitializationError = InitializationTimeoutError(0, 0)
        error.message, error.args = message, (message,)
        return error
    if found.code == DatabaseCorruptionError.default_code and file is not None:
        return DatabaseCorruptionError(file, details=said)
    if found.exit_code == ConcurrentInitializationError.exit_code:
        error = ConcurrentInitializationError(lock_file(workspace) or Path())
        error.message, error.args = said, (said,)
        return error
    if found.code == AnotherProcessError.default_code:
        return AnotherProcessError(message)
    return _CLASSES.get(found.exit_code, InitializationError)(message)


def is_ours(text: str) -> bool:
    """Returns whether a message is the package's own, not one of dbt or of a database."""
    return _OURS.match(_plain(text)) is not None


def parted(text: str) -> tuple[str, str | None]:
    """Returns a message without what it says is to be done, and that; None when it says nothing of that kind.

    Only the package says that in a form that can be told: a hint of a database is part of its message.
    """
    plain = _plain(text)
    if not _OURS.match(plain) and "What to do:" not in plain:
        return plain, None
    plain = _CODE.sub("", _OURS.sub("", plain), count=1).strip()
    found = _ADVICE.search(plain)
    if found is None or not plain[: found.start()].strip():
        return plain, None
    return plain[: found.start()].strip(), plain[found.end() :].strip()


def _plain(text: str) -> str:
    """Returns a message of dbt without colours, its first, general lines, and the macros that led to it.

    What is not the package's own is cut after MESSAGE_LINES: the whole is in dbt's log.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", text).strip()
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not _CHAIN.match(line)]
    while len(lines) > 1 and (_GENERAL.match(lines[0].strip()) or _OURS.match(lines[1].strip())):
        lines.pop(0)
    lines = dedent("\n".join([lines[0].strip(), *lines[1:]])).splitlines()
    rest = dedent("\n".join(lines[1:])).splitlines()
    if not _OURS.match(lines[0]) and len(rest) >= MESSAGE_LINES:
        rest = [*rest[: MESSAGE_LINES - 2], f"({len(rest) - MESSAGE_LINES + 2} more lines are in dbt's log)"]
    return "\n".join([lines[0], *rest])
