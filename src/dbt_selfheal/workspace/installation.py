"""What must be installed: the adapter beside dbt, and the dbt packages in the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.workspace.dbt import Dbt
from dbt_selfheal.workspace.jinja import load_yaml
from dbt_selfheal.workspace.project import PACKAGE, Workspace, with_paths

DATABASE_PACKAGE = "dbt_selfheal_database"
OPERATION_MISSING = "database-package-missing"


def check_installation(workspace: Workspace, dbt: Dbt) -> None:
    """Checks that the adapter and the dbt package are installed; raises ConfigurationError if not."""
    adapter = workspace.adapter
    if dbt.version_of("dbt-core") and not dbt.version_of(f"dbt-{adapter}"):
        raise ConfigurationError(
            f"the adapter dbt-{adapter} is not installed ({workspace.profiles_file}: "
            f"{workspace.profile}.outputs.{workspace.target}.type is {adapter})",
            code="adapter-missing",
            remedy=f"pip install dbt-{adapter}",
        )
    if workspace.project.get("name") == PACKAGE:
        return
    if not (workspace.packages_folder / PACKAGE / "dbt_project.yml").exists():
        declared = any(
            (workspace.project_dir / name).exists() for name in ("packages.yml", "dependencies.yml")
        )
        raise ConfigurationError(
            f"the dbt package {PACKAGE} is not installed in {workspace.packages_folder}",
            code="dependency-missing",
            remedy="Run: dbt deps"
            if declared
            else f"Name {PACKAGE} in {workspace.project_dir / 'packages.yml'}, then run: dbt deps",
        )


def check_operation(workspace: Workspace, name: str) -> None:
    """Checks that the project or one of its packages has a macro, wherever it comes from.

    Args:
        workspace: The workspace.
        name: The macro, one of the package for an application's database.

    Raises:
        ConfigurationError: None has it; the remedy is the entry of packages.yml.
    """
    macro = re.compile(rb"\{%-?\s*macro\s+" + name.encode() + rb"\s*\(")
    for file in _macro_files(workspace):
        with suppress(OSError):
            if macro.search(file.read_bytes()):
                return
    raise ConfigurationError(
        f"the dbt package {DATABASE_PACKAGE} is not installed in {workspace.packages_folder}: "
        f"it has the macro {name}",
        code=OPERATION_MISSING,
        remedy=f"Add it in {workspace.project_dir / 'packages.yml'}, then run: dbt deps\n"
        "    packages:\n"
        "      - local: path/to/dbt-selfheal/database\n"
        "  or, from the repository that dbt_selfheal comes from:\n"
        "      - git: <its address>\n"
        "        subdirectory: database\n"
        "        revision: <as of dbt_selfheal>",
    )


def _macro_files(workspace: Workspace) -> Iterator[Path]:
    """Yields the files of macros of the project and its packages, ours before those of others."""
    folders = [workspace.packages_folder / DATABASE_PACKAGE, workspace.packages_folder / PACKAGE]
    folders += [workspace.project_dir, *sorted(workspace.packages_folder.glob("*"))]
    for folder in dict.fromkeys(folders):
        file = folder / "dbt_project.yml"
        if file.exists():
            paths = with_paths(load_yaml(file), workspace.variables, file).get("macro-paths") or ["macros"]
            for path in [paths] if isinstance(paths, str) else paths:
                yield from (folder / str(path)).rglob("*.sql")
