"""Processes of dbt that start within milliseconds, in a project that is parsed already."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from support import DbtServer, Environment


class WarmServer(DbtServer):
    """A fork server that has run one command in one project already; see warm_server.py.

    Args:
        environment: Where dbt is installed.
        folder: The project's folder.
        arguments: The command line of the first invocation.
        env: More environment variables for it.
    """

    def __init__(
        self,
        environment: Environment,
        folder: Path,
        arguments: Sequence[str],
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(environment)
        variables = {**environment.variables(), "DBT_LOG_PATH": str(folder / "logs" / "warm"), **(env or {})}
        self._first = {"folder": str(folder), "environment": variables, "arguments": list(arguments)}

    def _command(self) -> list[str]:
        script = Path(__file__).with_name("warm_server.py")
        return [str(self.environment.python), str(script), json.dumps(self._first)]
