"""The answer of another process: an initialization that ended while this one waited for its turn.

When the workers of a server start at once, one of them initializes. What it leaves is what each of the others
would find, so that none of them has to start dbt: it ended after they were asked, in the same workspace.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from dbt_selfheal import __version__
from dbt_selfheal.warm.fingerprint import environment_digest, files_digest, project_roots, record_key
from dbt_selfheal.workspace.project import Workspace
from dbt_selfheal.workspace.writing import PRIVATE, write_whole


class SharedAnswer:
    """Made before the lock is waited for, asked and given with the lock held.

    Args:
        workspace: The workspace.
        asked: All that was asked for besides: answers to other questions are none to this one.
    """

    def __init__(self, workspace: Workspace, asked: Sequence[str]) -> None:
        self._since = time.time()
        key = record_key([str(workspace.profiles_file), workspace.profile, workspace.target, *asked])
        self._file = workspace.state_folder / f"initialized-{key}.json"
        self._state = [
            __version__,
            files_digest(project_roots(workspace))[0],
            # Not as they are: a variable may be a secret.
            record_key([json.dumps(workspace.variables, sort_keys=True, default=str)]),
        ]

    def read(self) -> dict[str, Any] | None:
        """Returns what another process has answered since; None if none has, or of another workspace."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            same = found["state"] == self._state and found["completed_at"] >= self._since
            same = same and environment_digest(None, found["salt"]) == found["environment"]
            return dict(found["answer"]) if same else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, answer: dict[str, Any]) -> None:
        """Leaves an answer for those who wait; if it cannot be written, that costs them time only."""
        salt = os.urandom(16).hex()
        content = {
            "state": self._state,
            "salt": salt,
            "environment": environment_digest(None, salt),
            "completed_at": time.time(),
            "answer": answer,
        }
        with suppress(OSError):
            write_whole(self._file, json.dumps(content), PRIVATE)
