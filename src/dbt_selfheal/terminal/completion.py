"""What the shell offers: targets, profiles and selectors of the project, and what can be selected in it.

The names are those of the files, and of target/manifest.json, which dbt writes whenever it reads the project:
dbt itself takes too long to be asked at the press of a key. What cannot be read offers nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click

    from dbt_selfheal.workspace.dbt import Options

KINDS = ("model", "seed", "snapshot")
METHODS = (
    "tag:", "path:", "file:", "fqn:", "package:", "group:", "resource_type:", "config.",
    "source:", "exposure:",
)  # fmt: skip


def complete_target(ctx: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """Returns the targets of the profile."""
    return _beginning(typed, _targets(_options(ctx)))


def complete_profile(ctx: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """Returns the profiles of profiles.yml."""
    return _beginning(typed, _profiles(_options(ctx)))


def complete_selector(ctx: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """Returns the selectors of selectors.yml."""
    return _beginning(typed, _selectors(_options(ctx)))


def complete_selection(ctx: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """Returns what can be selected; a graph operator in front, and what is before a comma, stays."""
    before = typed[: max(typed.rfind(","), typed.rfind(" ")) + 1]
    word = typed[len(before) :]
    match = re.match(r"\d*\+|@", word)
    operator = match[0] if match else ""
    return [f"{before}{operator}{name}" for name in _beginning(word[len(operator) :], _names(_options(ctx)))]


def _options(ctx: click.Context) -> Options:
    """Returns dbt's options as far as they are typed."""
    from dbt_selfheal.workspace.dbt import Options

    given = {key: ctx.params.get(key) for key in ("project_dir", "profiles_dir", "profile", "target")}
    return Options(**given)


def _targets(options: Options) -> Iterator[str]:
    from dbt_selfheal.workspace.jinja import load_yaml
    from dbt_selfheal.workspace.profile import find_profiles_file
    from dbt_selfheal.workspace.project import find_project_dir

    with suppress(Exception):
        folder = find_project_dir(options)
        project = load_yaml(folder / "dbt_project.yml")
        name = options.profile or project.get("profile")
        profiles = load_yaml(find_profiles_file(options, folder))
        yield from profiles[str(name)]["outputs"]


def _profiles(options: Options) -> Iterator[str]:
    from dbt_selfheal.workspace.jinja import load_yaml
    from dbt_selfheal.workspace.profile import find_profiles_file
    from dbt_selfheal.workspace.project import find_project_dir

    with suppress(Exception):
        file = find_profiles_file(options, find_project_dir(options))
        yield from (name for name in load_yaml(file) if name != "config")


def _selectors(options: Options) -> Iterator[str]:
    from dbt_selfheal.workspace.jinja import load_yaml
    from dbt_selfheal.workspace.project import find_project_dir

    with suppress(Exception):
        found = load_yaml(find_project_dir(options) / "selectors.yml")
        yield from (selector["name"] for selector in found["selectors"])


def _names(options: Options) -> Iterator[str]:
    """Yields node names, tags, folders and packages of the manifest; without one, the files' names."""
    from dbt_selfheal.workspace.project import find_project_dir

    folder = find_project_dir(options)
    found: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        found = json.loads((folder / "target" / "manifest.json").read_bytes())
    nodes = [node for node in found.get("nodes", {}).values() if node.get("resource_type") in KINDS]
    for node in nodes:
        yield node["name"]
        yield from (f"tag:{tag}" for tag in node.get("tags", []))
        yield f"package:{node['package_name']}"
        yield f"path:{Path(node['original_file_path']).parent.as_posix()}"
    if not nodes:
        for kind, suffix in (("models", "*.sql"), ("seeds", "*.csv"), ("snapshots", "*.sql")):
            yield from (path.stem for path in (folder / kind).rglob(suffix))
    yield from METHODS


def _beginning(typed: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(typed)})
