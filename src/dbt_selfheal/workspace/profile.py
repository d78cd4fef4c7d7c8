"""The profile: profiles.yml, and the output of it that is the target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.workspace.dbt import Options, dbt_variable
from dbt_selfheal.workspace.jinja import load_yaml, render


def find_profiles_file(options: Options) -> Path:
    """Returns the profiles.yml that dbt reads; whether it exists is not checked."""
    given = options.profiles_dir or dbt_variable("PROFILES_DIR")
    if given:
        return Path(given).expanduser().resolve() / "profiles.yml"
    here = Path.cwd() / "profiles.yml"
    return here if here.exists() else Path.home() / ".dbt" / "profiles.yml"


def read_profiles(path: Path) -> dict[str, Any]:
    """Returns the content of profiles.yml; raises ConfigurationError if it cannot be read."""
    if not path.exists():
        raise ConfigurationError(
            f"there is no profiles.yml: {path} does not exist",
            code="selfheal-profile-missing",
            remedy="Write it there, or name its folder with --profiles-dir.",
        )
    return load_yaml(path)


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
