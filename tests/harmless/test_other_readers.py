"""Other programs read a dbt project too: what they do with it works with the package as without it.

Each needs an environment of its own (`scripts/environments sqlmesh`); run with --readers.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from support import DbtProject, DbtServer, DuckDbDatabase, Environment

pytestmark = [pytest.mark.duckdb, pytest.mark.readers]

FILES = {
    "models/raw.sql": "{{ config(materialized='table') }}\nselect 42 as id\n",
    "models/leaf.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('raw') }}\n",
    "config.py": (
        "from pathlib import Path\n\nfrom sqlmesh.dbt.loader import sqlmesh_config\n\n"
        "config = sqlmesh_config(Path(__file__).parent)\n"
    ),
}


@pytest.mark.parametrize("install", [False, True], ids=["without the package", "with the package"])
def test_sqlmesh_plans_and_builds(tmp_path: Path, dbt_server: DbtServer, install: bool) -> None:
    environment = _environment("sqlmesh")
    (tmp_path / "database").mkdir()
    database = DuckDbDatabase(tmp_path / "database")
    config = {"models": {"+start": "Jan 1 2024"}}
    project = DbtProject(
        tmp_path / "project", database, dbt_server, files=FILES, config=config, install=install
    )
    for _ in ("cold", "warm"):
        output = _run(environment, project.folder, "sqlmesh", "plan", "--auto-apply", "--no-prompts")
        assert project.query("select id from main.leaf") == [(42,)], output


def _environment(name: str) -> Environment:
    """Returns an environment, or skips the test if it has not been made."""
    try:
        return Environment(name)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def _run(environment: Environment, folder: Path, program: str, *arguments: str) -> str:
    """Runs a program of an environment in a folder and returns its output; it must end with 0."""
    variables = {
        **os.environ,
        "PATH": f"{environment.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "1",
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
    assert done.returncode == 0, output
    return output
