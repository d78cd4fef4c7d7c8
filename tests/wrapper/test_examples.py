"""The folder examples/: each of them is run as its README says, apart from the installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support import ROOT, Database, Environment, PostgresDatabase
from wrapper.test_database import dbt  # noqa: F401 (a fixture)
from wrapper.test_integrations import serving
from wrapper.test_migrate import HASH

EXAMPLES = ROOT / "examples"
PACKAGES = {"dbt_selfheal": ROOT, "dbt_selfheal_database": ROOT / "database"}


def copy(name: str, folder: Path, project: str) -> Path:
    """Returns a copy of an example with its packages installed, as `dbt deps` installs local ones."""
    generated = shutil.ignore_patterns("target", "logs", "dbt_packages", "instance", "*.db", "__pycache__")
    shutil.copytree(EXAMPLES / name, folder / name, ignore=generated)
    packages = folder / project / "dbt_packages"
    packages.mkdir(exist_ok=True)
    wanted = (folder / project / "packages.yml").read_text().count("local:")
    for package, source in list(PACKAGES.items())[:wanted]:
        (packages / package).symlink_to(source)
    return folder / name


@pytest.mark.sqlite
@pytest.mark.postgres
def test_the_flask_application(
    make_database: Callable[[], Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy("flask_app", tmp_path, "flask_app/database")
    database = make_database()
    if isinstance(database, PostgresDatabase):
        profile = database.profile()
        place = f"host={profile['host']}&port={profile['port']}"
        monkeypatch.setenv("DATABASE_URL", f"postgresql://postgres@/{database.name}?{place}")
    monkeypatch.setenv("APP_ADMIN_HASH", HASH)
    code = (
        "import app; client = app.create_app().test_client(); "
        "print(client.get('/users').text, client.get('/roles').text, client.get('/health').status_code)"
    )
    done = _run([sys.executable, "-c", code], folder)
    assert '[{"role":"admin","tenant":"system","username":"admin"}]' in done.stdout
    assert '{"code":"user","name":"User"}' in done.stdout
    assert done.stdout.split()[-1] == "200"


@pytest.mark.sqlite
def test_the_fastapi_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy("flask_app", tmp_path, "flask_app/database")
    shutil.copytree(EXAMPLES / "fastapi_app", tmp_path / "fastapi_app")
    monkeypatch.setenv("APP_ADMIN_HASH", HASH)
    with serving(tmp_path / "fastapi_app", ["uvicorn", "--port", "0", "main:app"]) as server:
        server.wait_for("Application startup complete")
        assert '"username":"admin"' in server.get("/users")[1]
        assert '"way":"hook"' in server.get("/ready")[1]


@pytest.mark.duckdb
def test_the_pytest_fixture(tmp_path: Path) -> None:
    folder = copy("pytest_fixture", tmp_path, "pytest_fixture/project")
    done = _run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dbt"], folder)
    assert "2 passed" in done.stdout


@pytest.mark.duckdb
@pytest.mark.readers
def test_the_dagster_assets(tmp_path: Path) -> None:
    variables = _other(tmp_path, "dagster")
    code = (
        "import dagster as dg, dagster_assets as found; "
        "done = dg.materialize([found.ready_workspace, found.best_customer]); "
        "print('best:', done.output_for_node('best_customer'))"
    )
    done = _run([str(Environment("dagster").python), "-c", code], EXAMPLES, variables)
    assert "best: Grace" in done.stdout


@pytest.mark.duckdb
@pytest.mark.readers
@pytest.mark.timeout(900)
def test_the_airflow_dag(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    shutil.copy(EXAMPLES / "airflow_dag.py", dags)
    variables = {
        **_other(tmp_path, "cosmos"),
        "HOME": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    airflow = str(Environment("cosmos").folder / "bin" / "airflow")
    _run([airflow, "db", "migrate"], tmp_path, variables)
    done = _run([airflow, "dags", "test", "orders"], tmp_path, variables)
    assert "Completed successfully" in done.stdout + done.stderr
    assert (tmp_path / "warehouse.duckdb").exists()


def _other(folder: Path, name: str) -> dict[str, str]:
    """Returns the variables of an example that runs in another environment, on a copy of the project."""
    copied = copy("pytest_fixture", folder, "pytest_fixture/project")
    environment = Environment(name)
    return {
        "PYTHONPATH": str(ROOT / "src"),
        "PATH": f"{environment.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "DBT_PROJECT": str(copied / "project"),
        "WORKSPACE": str(folder),
    }


def _run(
    command: list[str], folder: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **(env or {})}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
