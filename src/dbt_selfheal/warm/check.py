"""The warm check: an answer from the database's catalog alone, without starting dbt.

After a successful initialization it is recorded which relations of the project were there, and what the
project, its profile and the environment looked like before. As long as nothing of that changed and every
one of these relations is still there, the workspace is ready: dbt's own check could not find anything
missing. In all other cases dbt is asked.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from dbt_selfheal import __version__
from dbt_selfheal.warm.catalog import CatalogUnavailableError, Relation, read_catalog
from dbt_selfheal.warm.fingerprint import (
    environment_digest,
    environment_names,
    files_digest,
    project_roots,
    record_key,
)
from dbt_selfheal.workspace.dbt import dbt_variable
from dbt_selfheal.workspace.project import Workspace
from dbt_selfheal.workspace.writing import PRIVATE, write_whole

FORMAT = 1
# Two changes of a file within one tick of the file system's clock have the same time.
TICK_NANOSECONDS = 20_000_000


class WarmCheck:
    """The record of one combination of project, profile, target, variables and selection.

    Args:
        workspace: The workspace.
        selection: The arguments of dbt that select what is required; empty for what the project declares.
        keep: Whether a record is of use: the same will be asked for again.
    """

    def __init__(self, workspace: Workspace, selection: Sequence[str] = (), *, keep: bool = True) -> None:
        self._workspace = workspace
        key = record_key(
            [
                str(workspace.project_dir),
                str(workspace.profiles_file),
                workspace.profile,
                workspace.target,
                str(workspace.database_file),
                workspace.place,
                json.dumps(workspace.variables, sort_keys=True, default=str),
                *selection,
            ]
        )
        self._file = workspace.state_folder / f"ready-{key}.json"
        # What `state:` and the like select depends on files that are not looked at here.
        self._certain = keep and not (selection and dbt_variable("STATE"))
        self._before: tuple[list[str], str, int] | None = None

    def is_known(self) -> bool:
        """Returns whether there is a record at all."""
        return self._file.exists()

    def is_ready(self) -> bool:
        """Returns whether every required relation is certainly there; False means that dbt must be asked."""
        return self.ready_names() is not None

    def ready_names(self) -> list[str] | None:
        """Returns the names of the required nodes if it is certain that all are there, else None."""
        if not self._certain:
            return None
        try:
            record = json.loads(self._file.read_bytes())
            if record["format"] != FORMAT or record["version"] != __version__:
                return None
            if files_digest(record["roots"])[0] != record["files"]:
                return None
            if environment_digest(record["variables"], record["salt"]) != record["environment"]:
                return None
            catalog = read_catalog(self._workspace)
            there = all(catalog.get((d, s, n)) == kind for d, s, n, kind in record["relations"])
            return [str(name) for name in record["required"]] if there else None
        except (OSError, ValueError, KeyError, TypeError, CatalogUnavailableError):
            return None

    def observe(self) -> None:
        """Takes down what the project looks like; to be called before dbt reads it."""
        roots = project_roots(self._workspace)
        digest, latest = files_digest(roots)
        if latest < time.time_ns() - TICK_NANOSECONDS:
            self._before = (roots, digest, latest)

    def record(self, nodes: Sequence[dict[str, Any]], required: Sequence[str]) -> bool:
        """Records that the workspace is ready, if that can be checked later without dbt.

        Args:
            nodes: Where the relations of all nodes of the project are.
            required: The unique ids of the required ones.

        Returns:
            Whether it was recorded.
        """
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
        if self._before is None or not self._certain or self._workspace.settings.get("initial_data"):
            return False
        if any(node["kind"] == "function" for node in nodes):
            return False
        roots, digest, _ = self._before
        if files_digest(roots)[0] != digest or project_roots(self._workspace) != roots:
            return False
        try:
            catalog = read_catalog(self._workspace)
        except CatalogUnavailableError:
            return False
        places = {node["unique_id"]: _place(node) for node in nodes}
        wanted = [unique_id for unique_id in required if unique_id in places]
        if any(places[unique_id] not in catalog for unique_id in wanted):
            return False
        if {place[0] for place in places.values()} - {place[0] for place in catalog}:
            return False  # a node in a database that this catalog does not show
        salt = os.urandom(16).hex()
        names = environment_names(roots)
        self._write(
            {
                "format": FORMAT,
                "version": __version__,
                "roots": roots,
                "files": digest,
                "variables": names,
                "salt": salt,
                "environment": environment_digest(names, salt),
                "relations": [
                    [*place, catalog[place]] for place in sorted(set(places.values())) if place in catalog
                ],
                "required": [unique_id.split(".")[2] for unique_id in wanted],
            }
        )
        return True

    def _write(self, record: dict[str, Any]) -> None:
        """Writes the record in one step; a folder that cannot be written to makes the next check slow."""
        with suppress(OSError):
            write_whole(self._file, json.dumps(record), PRIVATE)


def _place(node: dict[str, Any]) -> Relation:
    """Returns database, schema and name of a node in lower case."""
    return str(node["database"]).lower(), str(node["schema"]).lower(), str(node["name"]).lower()
