"""The profile: profiles.yml, and the output of it that is the target."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.workspace.dbt import Options, dbt_variable
from dbt_selfheal.workspace.jinja import render


def find_profiles_file(options: Options, project_dir: Path) -> Path:
    """Returns the profiles.yml that dbt reads.

    Args:
        options: Which folder is asked for, if any.
        project_dir: The project's folder, for the error message.

    Raises:
        ConfigurationError: There is none; the message names the folders in which it was looked for.
    """
    given = options.profiles_dir or dbt_variable("PROFILES_DIR")
    folders = [Path(given).expanduser().resolve()] if given else [Path.cwd(), Path.home() / ".dbt"]
    for folder in folders:
        if (folder / "profiles.yml").exists():
            return folder / "profiles.yml"
    named = (
        "--profiles-dir" if options.profiles_dir else "DBT_PROFILES_DIR" if given else "the working directory"
    )
    remedy = "Write it there, or name its folder with --profiles-dir."
    if project_dir not in folders and (project_dir / "profiles.yml").exists():
        remedy = f"Name the project's folder, which has one: --profiles-dir {shlex.quote(str(project_dir))}"
    raise ConfigurationError(
        f"there is no profiles.yml in {folders[0]} ({named})"
        + "".join(f", nor in {each}" for each in folders[1:]),
        code="selfheal-profile-missing",
        remedy=remedy,
    )


def read_output(
    profiles: dict[str, Any], name: str, options: Options, variables: dict[str, Any], path: Path
) -> tuple[dict[str, Any], str]:
    """Returns the output of a profile that is the target, rendered, and the target's name.

    Args:
        profiles: The content of profiles.yml.
        name: The profile.
        options: Which target is asked for, if any.
        variables: Those of `--vars`.
        path: The file, for error messages.

    Raises:
        ConfigurationError: There is no such profile or target, or it is wrong; the message names the key.
    """
    entry = profiles.get(name)
    if not isinstance(entry, dict):
        names = ", ".join(key for key in profiles if key != "config") or "none"
        raise ConfigurationError(
            f"{path} has no profile {name!r}; it has: {names}",
            code="selfheal-profile-missing",
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
            code="selfheal-target-missing",
            remedy=f"Add `{target}:` under {name}.outputs in {path}, or choose another with --target.",
        )
    rendered = render(output, variables, where)
    if not rendered.get("type"):
        raise ConfigurationError(
            f"{where} has no key type",
            code="selfheal-profile-wrong",
            remedy="Add the adapter's name, such as `type: duckdb`.",
        )
    return rendered, target
