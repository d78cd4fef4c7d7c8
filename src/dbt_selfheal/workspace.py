"""The workspace: a dbt project, its profile and target, and where its database is; read without dbt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_selfheal.dbt import find_dbt
from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.jinja import load_yaml, render

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


@dataclass(frozen=True)
class Options:
    """What the command line or the API was given of dbt's own options; None where nothing was given."""

    project_dir: str | None = None
    profiles_dir: str | None = None
    profile: str | None = None
    target: str | None = None
    target_path: str | None = None
    vars: str | None = None

    def arguments(self) -> list[str]:
        """Returns them as arguments of dbt."""
        pairs = {
            "--project-dir": self.project_dir,
            "--profiles-dir": self.profiles_dir,
            "--profile": self.profile,
            "--target": self.target,
            "--target-path": self.target_path,
            "--vars": self.vars,
        }
        return [text for key, value in pairs.items() if value is not None for text in (key, value)]


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
        return "/".join(str(self.output[key]) for key in keys if self.output.get(key)) or self.adapter

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
                code="setting-wrong",
                remedy=f"Fix it in {self.project_dir / 'dbt_project.yml'}, or in --vars.",
            )
        return seconds


def shown_path(path: Path) -> str:
    """Returns a path relative to the working directory when it is below it, else as it is."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def dbt_variable(name: str) -> str | None:
    """Returns the environment variable for an option of dbt, such as TARGET; None if it is not set.

    From version 1.11 on dbt prefers DBT_ENGINE_TARGET to DBT_TARGET, which all versions read.
    """
    engine = os.environ.get(f"DBT_ENGINE_{name}")
    if engine and find_dbt().release >= (1, 11):
        return engine
    return os.environ.get(f"DBT_{name}")


def find_project_dir(options: Options) -> Path:
    """Returns the folder of the project as dbt finds it; whether it has a project is not checked."""
    given = options.project_dir or dbt_variable("PROJECT_DIR")
    if given:
        return Path(given).expanduser().resolve()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "dbt_project.yml").exists()), here)


def find_profiles_file(options: Options) -> Path:
    """Returns the profiles.yml that dbt reads; whether it exists is not checked."""
    given = options.profiles_dir or dbt_variable("PROFILES_DIR")
    if given:
        return Path(given).expanduser().resolve() / "profiles.yml"
    here = Path.cwd() / "profiles.yml"
    return here if here.exists() else Path.home() / ".dbt" / "profiles.yml"


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
            code="project-missing",
            remedy="Change to the project's folder, or name it with --project-dir.",
        )
    project = with_paths(load_yaml(project_file), variables, project_file)
    profiles_file = find_profiles_file(options)
    profiles = _read_profiles(profiles_file)
    name = options.profile or dbt_variable("PROFILE") or project.get("profile")
    if not name:
        raise ConfigurationError(
            f"{project_file} has no key profile",
            code="profile-missing",
            remedy=f"Add `profile: NAME` with a name of {profiles_file}, or give --profile.",
        )
    name = str(render(name, variables, f"{project_file}: profile"))
    output, target = _read_output(profiles, name, options, variables, profiles_file)
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
            code="vars-wrong",
            remedy="Correct --vars.",
        )
    return found


def _read_profiles(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise ConfigurationError(
            f"there is no profiles.yml: {path} does not exist",
            code="profile-missing",
            remedy="Write it there, or name its folder with --profiles-dir.",
        )
    return load_yaml(path)


def _read_output(
    profiles: dict[str, Any], name: str, options: Options, variables: dict[str, Any], path: Path
) -> tuple[dict[str, Any], str]:
    """Returns the output of a profile that is the target, rendered, and the target's name."""
    entry = profiles.get(name)
    if not isinstance(entry, dict):
        names = ", ".join(key for key in profiles if key != "config") or "none"
        raise ConfigurationError(
            f"{path} has no profile {name!r}; it has: {names}",
            code="profile-missing",
            remedy=f"Add `{name}:` to {path}, or correct `profile:` in dbt_project.yml.",
        )
    target = options.target or dbt_variable("TARGET") or entry.get("target") or "default"
    target = str(render(target, variables, f"{path}: {name}.target"))
    outputs = entry.get("outputs")
    output = outputs.get(target) if isinstance(outputs, dict) else None
    where = f"{path}: {name}.outputs.{target}"
    if not isinstance(output, dict):
        names = ", ".join(outputs) if isinstance(outputs, dict) else "none"
        raise ConfigurationError(
            f"{path} has no target {target!r} in profile {name!r}; it has: {names}",
            code="target-missing",
            remedy=f"Add `{target}:` under {name}.outputs in {path}, or choose another with --target.",
        )
    rendered = render(output, variables, where)
    if not rendered.get("type"):
        raise ConfigurationError(
            f"{where} has no key type",
            code="profile-wrong",
            remedy="Add the adapter's name, such as `type: duckdb`.",
        )
    return rendered, target


def _settings(project: dict[str, Any], variables: dict[str, Any], path: Path) -> dict[str, Any]:
    """Returns vars.dbt_selfheal, with the command line over dbt_project.yml key by key, as the macros do."""
    settings: dict[str, Any] = {}
    declared = project.get("vars")
    for layer in (declared.get(PACKAGE) if isinstance(declared, dict) else None, variables.get(PACKAGE)):
        if isinstance(layer, dict):
            settings.update(layer)
    for key in ("timeout_seconds", "lock_timeout_seconds"):
        if key in settings:
            settings[key] = render(settings[key], variables, f"{path}: vars.{PACKAGE}.{key}")
    return settings
