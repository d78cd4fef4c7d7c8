"""The workspace: a dbt project, its profile and target, and where its database is; read without dbt."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.workspace.dbt import Options, dbt_variable
from dbt_selfheal.workspace.jinja import load_yaml, render
from dbt_selfheal.workspace.profile import find_profiles_file, read_output

PACKAGE = "dbt_selfheal"
DEFAULT_TIMEOUT = 60.0
DEFAULT_LOCK_TIMEOUT = 60.0
PATH_KEYS = {  # of dbt_project.yml, with what dbt reads when they are not there
    "model-paths": ["models"],
    "seed-paths": ["seeds"],
    "snapshot-paths": ["snapshots"],
    "macro-paths": ["macros"],
    "test-paths": ["tests"],
    "analysis-paths": ["analyses"],
    "function-paths": ["functions"],
    "docs-paths": [],
    "asset-paths": [],
}
_USER_OF_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*@", re.IGNORECASE)


@dataclass(frozen=True)
class Workspace:
    """A dbt project with the output of its profile that a command works on."""

    options: Options
    project_dir: Path
    profiles_file: Path
    profile: str
    target: str
    output: Mapping[str, Any]
    project: Mapping[str, Any]
    variables: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def adapter(self) -> str:
        """The type of the adapter, such as `duckdb`."""
        return str(self.output["type"])

    @property
    def schema(self) -> str:
        """The schema of the target."""
        return str(self.output.get("schema") or self.output.get("dataset") or "main")

    @property
    def database_file(self) -> Path | None:
        """The database file of a file database, absolute; None for servers and databases in memory.

        A relative path starts at the working directory, as the drivers have it, which dbt does not change.
        """
        if self.adapter == "duckdb":
            path = str(self.output.get("path") or ":memory:").split("?")[0]
            if path == ":memory:" or "://" in path or path.startswith(("md:", "motherduck:", "ducklake:")):
                return None
            return Path.cwd() / Path(path).expanduser()
        if self.adapter == "sqlite":
            paths = self.output.get("schemas_and_paths")
            main = paths.get("main") if isinstance(paths, dict) else None
            return Path.cwd() / Path(str(main)).expanduser() if main else None
        return None

    @property
    def in_memory(self) -> bool:
        """Whether the database is gone when its process ends."""
        return self.adapter == "duckdb" and str(self.output.get("path") or ":memory:") == ":memory:"

    @property
    def place(self) -> str:
        """Where the database is, for people: a file, or host and database; never with credentials."""
        if self.database_file is not None:
            return shown_path(self.database_file)
        if self.in_memory:
            return "in memory"
        keys = ("host", "account", "server", "project", "dbname", "database", "catalog", "schema", "dataset")
        parts = [str(self.output[key]) for key in keys if self.output.get(key)]
        return "/".join(_USER_OF_URL.sub("", part) for part in parts) or self.adapter

    @property
    def target_path(self) -> Path:
        """The folder of dbt's artifacts."""
        given = self.options.target_path or dbt_variable("TARGET_PATH")
        return self.project_dir / str(given or self.project.get("target-path") or "target")

    @property
    def state_folder(self) -> Path:
        """Where the wrapper keeps what it has learnt: times, and the record for the warm check."""
        return self.target_path / PACKAGE

    @property
    def seed_folder(self) -> Path:
        """The first folder that dbt looks for seeds in."""
        paths = self.project.get("seed-paths") or PATH_KEYS["seed-paths"]
        return self.project_dir / str(paths if isinstance(paths, str) else paths[0])

    @property
    def log_file(self) -> Path:
        """The log that dbt writes."""
        return self.project_dir / str(dbt_variable("LOG_PATH") or "logs") / "dbt.log"

    @property
    def packages_folder(self) -> Path:
        """Where `dbt deps` installs packages."""
        return self.project_dir / str(self.project.get("packages-install-path") or "dbt_packages")

    def seconds(self, key: str, default: float) -> float:
        """Returns a setting that is a number of seconds.

        Args:
            key: The key under vars.dbt_selfheal.
            default: The value when it is not set, in seconds.

        Raises:
            ConfigurationError: It is not a number, or is negative.
        """
        value = self.settings.get(key, default)
        try:
            seconds = float(value)
        except (TypeError, ValueError):
            seconds = -1.0
        if isinstance(value, bool) or seconds < 0:
            raise ConfigurationError(
                f"vars.{PACKAGE}.{key} must be a number of seconds, and is {value!r}",
                code="selfheal-setting-wrong",
                remedy=f"Fix it in {shown_path(self.project_dir / 'dbt_project.yml')}, or in --vars.",
            )
        return seconds


def shown_path(path: Path) -> str:
    """Returns a path as people write it: from the working directory when it is below it, else whole."""
    here = Path.cwd()
    return str(path.relative_to(here)) if here in path.parents else str(path)


def find_project_dir(options: Options) -> Path:
    """Returns the folder of the project as dbt finds it; whether it has a project is not checked."""
    given = options.project_dir or dbt_variable("PROJECT_DIR")
    if given:
        return Path(given).expanduser().resolve()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "dbt_project.yml").exists()), here)


def read_workspace(options: Options) -> Workspace:
    """Reads a project and its profile.

    Args:
        options: Which project, profile and target.

    Returns:
        The workspace.

    Raises:
        ConfigurationError: Something is missing or wrong; the message names the file and the key.
    """
    variables = parse_vars(options.vars)
    folder = find_project_dir(options)
    project_file = folder / "dbt_project.yml"
    if not project_file.exists():
        raise ConfigurationError(
            f"there is no dbt project in {folder}: it has no dbt_project.yml",
            code="selfheal-project-missing",
            remedy="Change to the project's folder, or name it with --project-dir.",
        )
    project = with_paths(load_yaml(project_file), variables, project_file)
    profiles_file = find_profiles_file(options, folder)
    profiles = load_yaml(profiles_file)
    name = options.profile or dbt_variable("PROFILE") or project.get("profile")
    if not name:
        raise ConfigurationError(
            f"{project_file} has no key profile",
            code="selfheal-profile-missing",
            remedy=f"Add `profile: NAME` with a name of {profiles_file}, or give --profile.",
        )
    name = str(render(name, variables, f"{project_file}: profile"))
    output, target = read_output(profiles, name, options, variables, profiles_file)
    return Workspace(
        options=options,
        project_dir=folder,
        profiles_file=profiles_file,
        profile=name,
        target=target,
        output=output,
        project=project,
        variables=variables,
        settings=_settings(project, variables, project_file),
    )


def with_paths(project: dict[str, Any], variables: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Returns the content of a dbt_project.yml with the templates in its paths rendered.

    Args:
        project: The content.
        variables: Those of `--vars`.
        file: The file, for error messages.

    Raises:
        ConfigurationError: A template needs what is not there, or is wrong.
    """
    keys = [key for key in (*PATH_KEYS, "target-path", "packages-install-path") if key in project]
    return {**project, **{key: render(project[key], variables, f"{file}: {key}") for key in keys}}


def parse_vars(text: str | None) -> dict[str, Any]:
    """Returns the variables of `--vars`; raises ConfigurationError if they are not a YAML mapping."""
    if not text:
        return {}
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise ConfigurationError(
            "--vars must be a YAML mapping, such as '{year: 2025}'",
            code="selfheal-vars-wrong",
            remedy="Write it as a mapping in quotes, with a space after each colon.",
        )
    return found


def _settings(project: dict[str, Any], variables: dict[str, Any], path: Path) -> dict[str, Any]:
    """Returns vars.dbt_selfheal, with the command line over dbt_project.yml key by key, as the macros do."""
    settings: dict[str, Any] = {}
    declared = project.get("vars")
    for layer in (declared.get(PACKAGE) if isinstance(declared, dict) else None, variables.get(PACKAGE)):
        if isinstance(layer, dict):
            settings.update(layer)
    for key in ("timeout_seconds", "lock_timeout_seconds", "migrations"):
        if key in settings:
            settings[key] = render(settings[key], variables, f"{path}: vars.{PACKAGE}.{key}")
    return settings


def switched_off() -> bool:
    """Returns whether the environment variable DBT_SELFHEAL_ENABLED switches healing off."""
    return os.environ.get("DBT_SELFHEAL_ENABLED", "").lower() in ("false", "0", "no", "off")


def is_active(workspace: Workspace) -> bool:
    """Returns whether healing is on: by setting, by environment variable, and in this target."""
    enabled = str(workspace.settings.get("enabled", True)).lower() != "false"
    given = workspace.settings.get("targets") or []
    targets = [given] if isinstance(given, str) else list(given)
    if any("{{" in str(target) for target in targets):
        targets = []  # dbt renders it, and the macros then say whether they are on
    return not switched_off() and enabled and (not targets or workspace.target in targets)
