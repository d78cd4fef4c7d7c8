"""Whether a project, its profile and its environment are still what they were.

A file counts as unchanged when path, size, inode, time of change and time of status change are the same:
the last of them cannot be set back by a program that writes. What was learnt is thrown away too often
rather than once too rarely.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from dbt_selfheal.workspace.jinja import load_yaml
from dbt_selfheal.workspace.project import PATH_KEYS, Workspace, with_paths

LISTED = f"{os.sep}."  # at the end of a root: it is listed and not entered
_ROOT_FILES = (
    "dbt_project.yml", "packages.yml", "dependencies.yml", "package-lock.yml", "selectors.yml",
    "profiles.yml", "catalogs.yml", ".dbtignore", "vars.yml",
)  # fmt: skip
_ENV_VAR = re.compile(rb"env_var\s*\(\s*(?:'([^']+)'\s*[,)]|\"([^\"]+)\"\s*[,)]|([^)\s]))")
# Variables of the shell and the terminal, which differ between two calls and cannot matter to dbt.
_VOLATILE = {
    "_", "PWD", "OLDPWD", "SHLVL", "LINES", "COLUMNS", "TERM", "TERM_PROGRAM", "WINDOWID", "TMUX",
    "TMUX_PANE", "STY", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "PYTEST_CURRENT_TEST",
}  # fmt: skip


def project_roots(workspace: Workspace) -> list[str]:
    """Returns the folders and files that dbt reads: those of the project and of each installed package.

    Args:
        workspace: The workspace.

    Returns:
        Absolute paths, whether they exist or not: one that appears later is a change too.

    Raises:
        ConfigurationError: A package's dbt_project.yml cannot be read.
    """
    roots = [*_roots_of(workspace.project_dir, dict(workspace.project)), str(workspace.profiles_file)]
    roots += [
        f"{workspace.packages_folder}{LISTED}",
        str(workspace.project_dir / "profiles.yml"),
        str(Path.cwd() / "profiles.yml"),
    ]
    if workspace.packages_folder.is_dir():
        for package in sorted(workspace.packages_folder.iterdir()):
            file = package / "dbt_project.yml"
            if file.exists():
                roots += _roots_of(package, with_paths(load_yaml(file), workspace.variables, file))
    return sorted(set(roots))


def _roots_of(folder: Path, project: dict[str, Any]) -> list[str]:
    paths = [str(path) for key, default in PATH_KEYS.items() for path in _listed(project.get(key), default)]
    return [str(folder / name) for name in (*_ROOT_FILES, *paths)]


def _listed(value: Any, default: list[str]) -> list[Any]:
    """Returns the paths of a key of dbt_project.yml; an empty list means none."""
    if value is None:
        return default
    return value if isinstance(value, list) else [value]


def files_digest(roots: Iterable[str]) -> tuple[str, int]:
    """Returns a digest of all files below the roots, and the latest time of change in nanoseconds."""
    digest = hashlib.blake2b(digest_size=16)
    latest = 0
    for root in roots:
        for path, status in _files(root):
            text = f"{path}\0{status.st_size}\0{status.st_ino}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\n"
            digest.update(text.encode("utf-8", "surrogateescape"))
            latest = max(latest, status.st_mtime_ns, status.st_ctime_ns)
    return digest.hexdigest(), latest


def _files(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yields the files of a root in a fixed order; a root that does not exist has none."""
    try:
        status = os.stat(root)  # noqa: PTH116 (speed)
    except OSError:
        return
    if not os.path.isdir(root):  # noqa: PTH112
        yield root, status
        return
    folders, enter = [root], not root.endswith(LISTED)
    for folder in folders:
        with suppress(OSError):
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
                if entry.name == "__pycache__":
                    continue
                if not entry.is_dir():
                    with suppress(OSError):
                        yield entry.path, entry.stat()
                elif enter:
                    folders.append(entry.path)
                else:
                    yield entry.path, entry.stat(follow_symlinks=False)


def environment_names(roots: Iterable[str]) -> list[str] | None:
    """Returns the environment variables that the files name; None if they ask for a computed name."""
    names: set[str] = set()
    for root in roots:
        for path, _ in _files(root):
            if path.endswith((".sql", ".yml", ".yaml", ".md", ".py", ".jinja")):
                with suppress(OSError):
                    for single, double, computed in _ENV_VAR.findall(Path(path).read_bytes()):
                        if computed:
                            return None
                        names.add((single or double).decode("utf-8", "replace"))
    return sorted(names)


def environment_digest(names: list[str] | None, salt: str) -> str:
    """Returns a digest of dbt's own and the named environment variables; names None: of all."""
    chosen = {
        key: value
        for key, value in os.environ.items()
        if key not in _VOLATILE and (names is None or key in names or key.startswith(("DBT_", "PG")))
    }
    text = "\0".join(f"{key}={value}" for key, value in sorted(chosen.items()))
    return hashlib.blake2b(
        text.encode("utf-8", "surrogateescape"), digest_size=16, key=salt.encode()
    ).hexdigest()


def record_key(workspace_parts: Iterable[str | None]) -> str:
    """Returns a short name for a combination of project, profile, target, variables and selection."""
    text = "\0".join("" if part is None else part for part in workspace_parts)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
