"""What must be installed: the adapter beside dbt, and the dbt packages in the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.workspace.dbt import Dbt
from dbt_selfheal.workspace.jinja import load_yaml
from dbt_selfheal.workspace.project import PACKAGE, Workspace, shown_path, with_paths

DATABASE_PACKAGE = "dbt_selfheal_database"
# https://docs.getdbt.com/docs/trusted-adapters and /docs/community-adapters
ADAPTERS = (
    "athena", "bigquery", "clickhouse", "databricks", "dremio", "duckdb", "exasol", "fabric", "glue",
    "impala", "materialize", "mysql", "oracle", "postgres", "redshift", "risingwave", "snowflake", "spark",
    "sqlite", "sqlserver", "starrocks", "synapse", "teradata", "trino", "vertica",
)  # fmt: skip
OPERATION_MISSING = "selfheal-database-package-missing"


def check_installation(workspace: Workspace, dbt: Dbt) -> None:
    """Checks that the adapter and the dbt package are installed; raises ConfigurationError if not."""
    adapter = workspace.adapter
    if dbt.program is None and dbt.version_of("dbt-core") and not dbt.version_of(f"dbt-{adapter}"):
        raise _adapter_missing(workspace, adapter)
    if workspace.project.get("name") == PACKAGE:
        return
    if not (workspace.packages_folder / PACKAGE / "dbt_project.yml").exists():
        file = shown_path(workspace.project_dir / "packages.yml")
        declared = any(
            (workspace.project_dir / name).exists() for name in ("packages.yml", "dependencies.yml")
        )
        raise ConfigurationError(
            f"the dbt package {PACKAGE} is not installed in {shown_path(workspace.packages_folder)}",
            code="selfheal-dependency-missing",
            remedy="Run: dbt deps" if declared else f"Name {PACKAGE} in {file}, then run: dbt deps",
        )


def _adapter_missing(workspace: Workspace, adapter: str) -> ConfigurationError:
    """Returns the error of a missing adapter; only known names are proposed to be installed."""
    from difflib import get_close_matches

    file, known = shown_path(workspace.profiles_file), adapter in ADAPTERS
    where = f"{workspace.profile}.outputs.{workspace.target}.type"
    near = [] if known else get_close_matches(adapter.lower(), ADAPTERS, n=3)
    if known:
        remedy = f"Install it beside dbt: pip install dbt-{adapter}"
    elif near:
        remedy = f"Did you mean {' or '.join(near)}? Correct {where} in {file}."
    else:
        remedy = (
            f"Correct {where} in {file}. Known adapters are: {', '.join(ADAPTERS)}. "
            "If it is another one, install it beside dbt as its documentation says."
        )
    return ConfigurationError(
        f"the adapter dbt-{adapter} is not installed ({file}: {where} is {adapter})",
        code="selfheal-adapter-missing",
        remedy=remedy,
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
    for file in macro_files(workspace):
        with suppress(OSError):
            if macro.search(file.read_bytes()):
                return
    raise ConfigurationError(
        f"the dbt package {DATABASE_PACKAGE} is not installed in {shown_path(workspace.packages_folder)}: "
        f"it has the macro {name}",
        code=OPERATION_MISSING,
        remedy=f"Add it in {shown_path(workspace.project_dir / 'packages.yml')}, then run: dbt deps\n"
        "    packages:\n"
        "      - local: path/to/dbt-selfheal/database\n"
        "  or, from the repository that dbt_selfheal comes from:\n"
        "      - git: <its address>\n"
        "        subdirectory: database\n"
        "        revision: <as of dbt_selfheal>",
    )


def macro_files(workspace: Workspace) -> Iterator[Path]:
    """Yields the files of macros of the project and its packages, ours before those of others."""
    folders = [workspace.packages_folder / DATABASE_PACKAGE, workspace.packages_folder / PACKAGE]
    folders += [workspace.project_dir, *sorted(workspace.packages_folder.glob("*"))]
    for folder in dict.fromkeys(folders):
        file = folder / "dbt_project.yml"
        if file.exists():
            paths = with_paths(load_yaml(file), workspace.variables, file).get("macro-paths") or ["macros"]
            for path in [paths] if isinstance(paths, str) else paths:
                yield from (folder / str(path)).rglob("*.sql")
