"""Flask under gunicorn and FastAPI under uvicorn: four workers start at once, one initializes, all serve."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support import DbtProject, Environment, PostgresDatabase
from wrapper.test_database import ADMIN, APP, STARTED, dbt, refused_user  # noqa: F401 (a fixture)
from wrapper.test_migrate import HASH, migration

from dbt_selfheal import ConfigurationError
from dbt_selfheal.integrations.flask import SelfHeal, settings_of

Make = Callable[..., DbtProject]
pytestmark = [pytest.mark.both_packages, pytest.mark.postgres, pytest.mark.sqlite]

WORKERS = 4
FLASK = """
import os, sys
from pathlib import Path
from flask import Flask
from dbt_selfheal.integrations.flask import SelfHeal

HERE = str(Path(__file__).parent)


def create_app():
    app = Flask(__name__)
    app.config.update(SELFHEAL_PROJECT_DIR=HERE, SELFHEAL_PROFILES_DIR=HERE, SELFHEAL_HEALTH=True)
    app.config.from_prefixed_env()
    SelfHeal(app)
    result = app.extensions["selfheal"].result
    if result is not None:
        print(f"worker {os.getpid()} ready: {result.way}", file=sys.stderr, flush=True)

    @app.get("/pid")
    def pid():
        return str(os.getpid())

    return app
"""
FASTAPI = """
import os, sys
from contextlib import asynccontextmanager
from pathlib import Path
from fastapi import FastAPI
from dbt_selfheal.database import DatabaseInitializer
from dbt_selfheal.integrations.fastapi import lifespan

HERE = Path(__file__).parent


@asynccontextmanager
async def own(app):
    print(f"worker {os.getpid()} ready: {app.state.selfheal.way}", file=sys.stderr, flush=True)
    yield


app = FastAPI(lifespan=lifespan(DatabaseInitializer(HERE, profiles_dir=HERE), own))


@app.get("/pid")
def pid():
    return os.getpid()
"""
GUNICORN = [
    "gunicorn",
    "--workers",
    str(WORKERS),
    "--bind",
    "127.0.0.1:0",
    "--timeout",
    "250",
    "web:create_app()",
]
UVICORN = ["uvicorn", "--workers", str(WORKERS), "--port", "0", "web:app"]
READY = re.compile(r"worker (\d+) ready: (\w+)")


class Server:
    """A web server with its workers, and what it has written."""

    def __init__(self, folder: Path, command: list[str], env: Mapping[str, str]) -> None:
        self.output = folder / f"server-{time.monotonic_ns()}.log"
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        """What it has written."""
        return self.output.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        """Waits until it has written a text."""
        end = time.monotonic() + 280
        while text not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.05)

    def ways(self) -> dict[str, str]:
        """Waits until all workers are ready; returns how each one's database was made so, by their pids."""
        end = time.monotonic() + 280
        while len(found := dict(READY.findall(self.text))) < WORKERS:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.05)
        return found

    def get(self, path: str) -> tuple[int, str]:
        """Returns status and content of an answer."""
        place = re.findall(r"http://127\.0\.0\.1:\d+", self.text)[-1]
        try:
            with urllib.request.urlopen(place + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@contextmanager
def serving(folder: Path, command: list[str], **env: str) -> Iterator[Server]:
    """Starts a server, and ends it with all its workers."""
    server = Server(folder, command, env)
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(30)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()


@pytest.fixture
def web(make_project: Make) -> DbtProject:
    """A Flask application with its dbt project."""
    return make_project({**APP, "web.py": FLASK}, config={"vars": {"dbt_selfheal": STARTED}})


def check_all_serve(server: Server) -> None:
    """All workers are ready, one of them has asked dbt, and they answer."""
    ways = server.ways()
    assert list(ways.values()).count("shared") == WORKERS - 1, server.text
    assert server.get("/pid")[1] in ways


def test_flask_workers_start_whatever_state_the_database_is_in(web: DbtProject) -> None:
    with serving(web.folder, GUNICORN, **{ADMIN: HASH}) as server:  # an empty one
        check_all_serve(server)
        assert server.get("/health")[0] == 200
    assert {"users", "tenants", "roles", "role_names"} <= web.names()
    assert web.rows("users") == [("admin", HASH, None)]
    web.drop("role_names")  # half of it is there
    web.execute(f"delete from {web.database.quoted('tenants')}")
    web.write(migration(3, "create table {s}.sessions (id integer)"))  # and a migration is pending
    with serving(web.folder, GUNICORN, **{ADMIN: HASH}) as server:
        check_all_serve(server)
    assert {"role_names", "sessions"} <= web.names()
    assert web.rows("tenants") == [("system", "System")]


def test_flask_does_not_start_on_what_cannot_be_used(web: DbtProject) -> None:
    if isinstance(web.database, PostgresDatabase):
        with refused_user(web.database.server) as wrong:
            web.write_profile(**wrong)
            _does_not_start(web, "refuses user or password")
    else:
        profile = web.database.profile()
        file = Path(profile.get("path") or profile["schemas_and_paths"]["main"])
        file.write_bytes(b"no database " * 2000)
        _does_not_start(web, "is damaged")
        assert file.read_bytes() == b"no database " * 2000


def _does_not_start(project: DbtProject, says: str) -> None:
    with serving(project.folder, GUNICORN) as server:
        assert server.process.wait(250) != 0
    assert says in server.text
    assert "What to do: " in server.text
    assert "wr0ng-secret" not in server.text


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_rounds_of_simultaneous_starts(web: DbtProject, make_project: Make) -> None:
    for number in range(20):
        web.write_profile(**_fresh(web, number))
        with serving(web.folder, GUNICORN, **{ADMIN: HASH}) as server:
            check_all_serve(server)


def _fresh(project: DbtProject, number: int) -> dict[str, Any]:
    """Returns a profile whose database, or schema, is empty."""
    if isinstance(project.database, PostgresDatabase):
        return {"schema": f"round_{number}"}
    folder = project.folder / f"round-{number}"
    folder.mkdir()
    if project.database.adapter == "duckdb":
        return {"path": str(folder / "main.duckdb")}
    return {"schemas_and_paths": {"main": str(folder / "main.db")}, "schema_directory": str(folder)}


def test_fastapi_workers_start_on_an_empty_database(make_project: Make) -> None:
    project = make_project({**APP, "web.py": FASTAPI}, config={"vars": {"dbt_selfheal": STARTED}})
    with serving(project.folder, UVICORN, **{ADMIN: HASH}) as server:
        check_all_serve(server)
    assert project.rows("users") == [("admin", HASH, None)]


def test_the_commands_of_flask_do_not_initialize_by_themselves(
    web: DbtProject, dbt_environment: Environment
) -> None:
    def flask(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flask", "--app", "web:create_app", "selfheal", *arguments]
        done = subprocess.run(command, cwd=web.folder, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    assert json.loads(flask("status").stdout)["state"] == "not_started"
    assert web.names() == set()
    applied = json.loads(flask("migrate").stdout)["migrations_applied"]
    assert len(applied) == 2
    web.write(migration(2, "select 1"))
    refused = flask("migrate", code=1)
    assert "What to do: " in refused.stderr


# Configuration


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("SELFHEAL_PROJECT_DIRR", ".", "Did you mean SELFHEAL_PROJECT_DIR?"),
        ("SELFHEAL_TIMEOUT", 3, "Did you mean SELFHEAL_TIMEOUT_SECONDS?"),
        ("SELFHEAL_TIMEOUT_SECONDS", "soon", "Correct SELFHEAL_TIMEOUT_SECONDS"),
        ("SELFHEAL_TIMEOUT_SECONDS", -1, "Correct SELFHEAL_TIMEOUT_SECONDS"),
        ("SELFHEAL_HEALTH", "perhaps", "Correct SELFHEAL_HEALTH"),
    ],
)
def test_a_wrong_configuration_is_one_clear_error(key: str, value: Any, says: str) -> None:
    app = Flask("app")
    app.config[key] = value
    with pytest.raises(ConfigurationError) as caught:
        SelfHeal(app)
    assert key in str(caught.value)
    assert says in str(caught.value.remedy)


def test_the_defaults_are_those_of_the_initializer(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask("app")
    app.config["SELFHEAL_SELECT"] = ["tag:core"]
    found = settings_of(app)
    assert (found.project_dir, found.select, found.timeout_seconds, found.initialize) == (
        ".",
        ["tag:core"],
        None,
        True,
    )


def test_health_is_reported_in_the_background(web: DbtProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADMIN, HASH)
    app = Flask("app")
    app.config.update(
        SELFHEAL_PROJECT_DIR=str(web.folder),
        SELFHEAL_PROFILES_DIR=str(web.folder),
        SELFHEAL_HEALTH=True,
        SELFHEAL_HEALTH_PREFIX="/db",
        SELFHEAL_INITIALIZE=False,
    )
    SelfHeal(app)
    client, monitor = app.test_client(), app.extensions["selfheal"].monitor
    started = time.monotonic()
    first = client.get("/db/health")
    assert time.monotonic() - started < 1, "a request does not wait for dbt"
    assert (first.status_code, first.get_json()["verdict"]) == (503, "unknown")
    monitor.refresh().join()
    broken = client.get("/db/health")
    assert (broken.status_code, broken.get_json()["verdict"]) == (503, "broken")
    metrics = client.get("/db/metrics")
    assert metrics.status_code == 200
    assert b"dbt_selfheal_verdict" in metrics.data
