# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""No secret in any output: planted ones are looked for in all that a run prints, logs, writes and leaves in the database."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from faults.conftest import WarmProjectFactory
from support import ROOT, DbtProject, PostgresDatabase

pytestmark = [pytest.mark.dbt_version(">=1.9")]

PASSWORD = "pl4nted/pass word-of-the-profile"
TOKEN = "pl4nted-token-of-the-environment"
FILES = {
    "seeds/regions.csv": "id,name\n1,north\n",
    "models/base.sql": "select id{{ env_var('BROKEN', '') }} from {{ ref('regions') }}",
    "models/leaf.sql": "select id from {{ ref('base') }}",
}


def everything(project: DbtProject) -> Iterator[tuple[str, str]]:
    """Yields name and content of every file of the project but the profile, logs and artifacts included."""
    for path in project.folder.rglob("*"):
        if (
            path.is_file()
            and not path.is_symlink()
            and path.name != "profiles.yml"
            and "dbt_packages" not in path.parts
        ):
            yield str(path), path.read_bytes().decode(errors="replace")


def leaks(texts: Iterator[tuple[str, str]]) -> list[str]:
    """Returns where a planted secret stands, as it is or as in a URL."""
    forms = [PASSWORD, quote(PASSWORD, safe=""), TOKEN]
    return [f"{name}: {form}" for name, text in texts for form in forms if form in text]


@pytest.mark.postgres
@pytest.mark.promise("Say what to do")
def test_no_secret_in_outputs_logs_artifacts_lock_entries_and_tables(
    make_warm_project: WarmProjectFactory,
) -> None:
    env = {"DBT_ENV_SECRET_TOKEN": TOKEN, "PGPASSWORD_OF_SHOP": PASSWORD}
    profile = {"password": "{{ env_var('PGPASSWORD_OF_SHOP') }}", "application_name": "shop"}
    project = make_warm_project(FILES, "run", "-s", "leaf", profile=profile, env=env)
    assert isinstance(project.database, PostgresDatabase)
    lock = "select pg_advisory_lock(hashtextextended('dbt_selfheal:analytics', 0))"
    for command in (
        ("run", "-s", "leaf"),
        ("run-operation", "initialization_status"),
        ("run-operation", "initialization_plan"),
    ):
        project.dbt(*command, env=env)
    project.drop("base", "leaf")
    broken = project.dbt_fails("run", "-s", "leaf", env={**env, "BROKEN": ", no_such_column"})
    assert "no_such_column" in broken.output
    with project.database.server.connection(project.database.name) as other:
        other.cursor().execute(lock)
        timeout = {"dbt_selfheal": {"lock_timeout_seconds": 0}}
        project.dbt_fails("run", "-s", "leaf", env=env, vars=timeout)
        project.dbt("run-operation", "initialization_status", env=env)
        running = project.start("run", "-s", "leaf", env=env)
        running.wait_for("waiting for another initialization")
        seen = project.query("select coalesce(query, '') || application_name from pg_stat_activity")
        running.kill()
        running.wait(check=False)
    files = list(everything(project))
    assert len(files) > 20
    assert any("dbt.log" in name for name, _ in files)
    assert any("manifest.json" in name for name, _ in files)
    rows = [(name, str(project.rows(name))) for name in project.relations()]
    found = leaks(iter([*files, *rows, ("pg_stat_activity", str(seen))]))
    assert not found, "\n".join(found)


@pytest.mark.postgres
def test_the_wrapper_scrubs_what_the_database_driver_shows(
    make_project: Callable[..., DbtProject], tmp_path: Path
) -> None:
    """A password in a wrong place, the host, comes back in the driver's own error."""
    project = make_project(FILES)
    host = f"postgres://me:{quote(PASSWORD, safe='')}@nowhere.invalid"
    project.write_profile(host=host, password=PASSWORD)
    log = tmp_path / "events.jsonl"
    command: list[str | Path] = [
        ROOT / ".venv" / "dev" / "bin" / "dbt-selfheal",
        "ensure",
        "--json",
        "--log-file",
        log,
        "--project-dir",
        project.folder,
    ]
    variables = {**os.environ, "PATH": f"{ROOT / '.venv' / 'dev' / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*command, "--profiles-dir", project.folder],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode not in (0, 2), done.stderr
    assert "nowhere.invalid" in done.stdout + done.stderr, "the driver's message, without the password"
    found = leaks(
        iter(
            [
                ("stdout", done.stdout),
                ("stderr", done.stderr),
                ("log", log.read_text() if log.exists() else ""),
            ]
        )
    )
    assert not found, "\n".join(found)
