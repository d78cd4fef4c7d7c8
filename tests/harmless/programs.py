"""Programs of environments of their own, that a test runs in a project's folder."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support import Environment


def environment_of(name: str) -> Environment:
    """Returns an environment, or skips the test if it has not been made."""
    try:
        return Environment(name)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def run_program(
    environment: Environment,
    folder: Path,
    program: str,
    *arguments: str,
    code: int = 0,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Runs a program of an environment in a folder and returns its output; `code` must be its exit code."""
    variables = {
        **environment.variables(),
        "HOME": str(folder.parent / "home"),  # where some keep settings, and what they have counted
        "HTTPS_PROXY": "http://127.0.0.1:9",  # nobody there: none of them reports its use
        "DO_NOT_TRACK": "1",
        "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "1",
        **(variables or {}),
    }
    done = subprocess.run(
        [environment.folder / "bin" / program, *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    return output
