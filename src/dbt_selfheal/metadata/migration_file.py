"""The file of a new migration: its macro, and that of its rollback."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.workspace.installation import macro_files
from dbt_selfheal.workspace.project import Workspace, shown_path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
VERSION = re.compile(r"[0-9]+(?:_[0-9]+)*")
MACRO = re.compile(r"\{%-?\s*macro\s+migration__([0-9]+(?:_[0-9]+)*)__")


def check_name(name: str) -> None:
    """Raises ConfigurationError unless a macro can have a migration's name."""
    if not NAME.fullmatch(name):
        better = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
        raise ConfigurationError(
            f"a migration cannot be called {name!r}: its name is of letters, digits and underscores",
            code="selfheal-migration-name",
            remedy=f"dbt-selfheal migrate create {better or 'create_users'}",
        )


def next_version(workspace: Workspace) -> str:
    """Returns the version after the newest of the project's own migrations, in its form; 0001 if none."""
    found: list[str] = []
    for file in macro_files(workspace):
        if workspace.packages_folder not in file.parents:
            found += MACRO.findall(file.read_text(encoding="utf-8", errors="replace"))
    if not found:
        return "0001"
    newest = max(found, key=lambda version: [int(part) for part in version.split("_")])
    head, _, last = newest.rpartition("_")
    following = str(int(last) + 1).zfill(len(last))
    return f"{head}_{following}" if head else following


def write_migration(
    workspace: Workspace, version: str, name: str, up: Sequence[str] = (), down: Sequence[str] = ()
) -> Path:
    """Writes the file of a migration.

    Args:
        workspace: The project; the file goes into `migrations` of its first folder of macros.
        version: Its version.
        name: Its name.
        up: Its statements; none for a file to be filled in.
        down: Those of its rollback.

    Returns:
        The file.

    Raises:
        ConfigurationError: Name or version cannot be that of a macro, or the file is there already.
        OSError: It cannot be written.
    """
    check_name(name)
    if not VERSION.fullmatch(version):
        raise ConfigurationError(
            f"a migration cannot have the version {version!r}: it is of numbers and underscores",
            code="selfheal-migration-name",
            remedy=f"Leave it out, for {next_version(workspace)}.",
        )
    paths = workspace.project.get("macro-paths") or ["macros"]
    folder = workspace.project_dir / str(paths if isinstance(paths, str) else paths[0]) / "migrations"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{version}_{name}.sql"
    text = "\n\n".join(
        _macro(kind, version, name, each) for kind, each in (("migration", up), ("rollback", down))
    )
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(_setting(workspace, text) if up else text)
    except FileExistsError:
        raise ConfigurationError(
            f"the file {shown_path(file)} is there already, and was left as it is",
            code="selfheal-file-exists",
            remedy="Choose another name, or another --version.",
        ) from None
    return file


def _macro(kind: str, version: str, name: str, statements: Sequence[str]) -> str:
    hint = "-- SQL: statements with semicolons between them" if kind == "migration" else "-- the way back"
    lines = "\n".join(f"{_escaped(text.rstrip(';'))};" for text in statements) or hint
    body = "\n".join(f"  {line}".rstrip() for line in lines.splitlines())
    return f"{{% macro {kind}__{version}__{name}() %}}\n{body}\n{{% endmacro %}}\n"


def _escaped(text: str) -> str:
    """Returns SQL that Jinja leaves as it is."""
    return f"{{% raw %}}{text}{{% endraw %}}" if re.search(r"\{[{%#]", text) else text


def _setting(workspace: Workspace, text: str) -> str:
    """Returns macros whose statements, which name no schema, are about the target's."""
    if workspace.adapter != "postgres":
        return text
    line = "  set local search_path to {{ adapter.quote(target.schema) }};\n"
    return re.sub(r"(\(\) %\}\n)", rf"\1{line}", text)
