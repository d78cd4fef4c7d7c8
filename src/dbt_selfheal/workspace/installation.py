"""What must be installed: the adapter beside dbt, and the dbt package in the project."""

from __future__ import annotations

from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.workspace.dbt import Dbt
from dbt_selfheal.workspace.project import PACKAGE, Workspace


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
