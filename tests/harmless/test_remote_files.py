"""The file of an external model may be in an object store: it is data there too.

A server of moto stands for S3, and DuckDB's own extension httpfs reads and writes it. Needs an environment of
its own (`scripts/environments remote`); run with --readers.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from harmless.programs import environment_of, run_program
from support import DbtProject, DbtServer, DuckDbDatabase, Environment

pytestmark = [pytest.mark.duckdb, pytest.mark.readers, pytest.mark.timeout(900)]
FILES = {
    "models/raw.sql": "{{ config(materialized='external', location='s3://lake/raw.parquet') }}\n"
    "select 1 as id\n",
    "models/mid.sql": "{{ config(materialized='external', location='s3://lake/mid.parquet') }}\n"
    "select id + 41 as id from {{ ref('raw') }}\n",
    "models/leaf.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('mid') }}\n",
}
# The server looks at whose key it is, not at the signature.
HEADERS = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=key/20240101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0",
    "Content-Type": "application/octet-stream",
}


class Store:
    """An object store with the bucket `lake`.

    Args:
        port: Of the server, on this machine.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Sends a request and returns the answer's body."""
        url = f"http://127.0.0.1:{self.port}/{path}"
        request = urllib.request.Request(url, data=body, headers=HEADERS, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            content: bytes = answer.read()
            return content

    def settings(self) -> dict[str, Any]:
        """Returns the settings of DuckDB for it."""
        return {
            "s3_endpoint": f"127.0.0.1:{self.port}",
            "s3_url_style": "path",
            "s3_use_ssl": False,
            "s3_region": "us-east-1",
            "s3_access_key_id": "key",
            "s3_secret_access_key": "secret",
        }


@pytest.fixture
def environment() -> Environment:
    """The environment with DuckDB's extension and the object store."""
    return environment_of("remote")


@pytest.fixture
def store(environment: Environment) -> Iterator[Store]:
    """An object store of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [str(environment.folder / "bin" / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            store = Store(port)
            _until_it_answers(store)
            store.call("PUT", "lake")
            yield store
        finally:
            server.terminate()


@pytest.fixture
def dbt(
    environment: Environment, store: Store, tmp_path: Path, dbt_server: DbtServer
) -> Callable[..., DbtProject]:
    """Runs dbt of the environment in the project, and returns that."""
    (tmp_path / "database").mkdir()
    (tmp_path / "home").mkdir()
    project = DbtProject(tmp_path / "project", DuckDbDatabase(tmp_path / "database"), dbt_server, files=FILES)
    path = project.folder / "profiles.yml"
    profiles = yaml.safe_load(path.read_text())
    (output,) = profiles["shop"]["outputs"].values()
    output["extensions"] = ["httpfs"]
    output["settings"] = store.settings()
    output["config_options"] = {"extension_directory": str(_extensions(environment, tmp_path))}
    path.write_text(yaml.safe_dump(profiles))

    def run(*arguments: str) -> DbtProject:
        run_program(environment, project.folder, "dbt", *arguments)
        return project

    return run


def test_an_object_that_is_there_is_data_and_one_that_is_gone_is_built(
    dbt: Callable[..., DbtProject], store: Store
) -> None:
    dbt("build")
    raw = edited = store.call("GET", "lake/raw.parquet")
    store.call("PUT", "lake/mid.parquet", edited)
    project = dbt("run", "-s", "leaf")
    assert project.rows("leaf") == [(1,)]  # nothing was missing
    project.drop("mid", "raw", "leaf")
    dbt("run", "-s", "leaf")
    assert project.rows("leaf") == [(1,)]
    assert store.call("GET", "lake/mid.parquet") == edited
    assert project.relations() == {"main.mid": "view", "main.leaf": "table"}  # raw is not read
    store.call("DELETE", "lake/mid.parquet")
    project.drop("mid", "leaf")
    dbt("run", "-s", "leaf")
    assert project.rows("leaf") == [(42,)]
    assert store.call("GET", "lake/mid.parquet") != edited
    assert store.call("GET", "lake/raw.parquet") == raw


def _until_it_answers(store: Store) -> None:
    """Waits for the server, at most 60 s."""
    for _ in range(300):
        try:
            store.call("GET", "")
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the object store did not start")


def _extensions(environment: Environment, folder: Path) -> Path:
    """Lays DuckDB's extension out as the database itself installs it, and returns the folder."""
    code = "import duckdb; print(duckdb.__version__, duckdb.sql('pragma platform').fetchone()[0])"
    python = environment.folder / "bin" / "python"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    version, platform = done.stdout.split()
    (found,) = environment.folder.glob(
        f"lib/python*/site-packages/duckdb_extension_httpfs/extensions/v{version}/httpfs.duckdb_extension"
    )
    extensions = folder / "extensions" / f"v{version}" / platform
    extensions.mkdir(parents=True)
    shutil.copy(found, extensions)
    return folder / "extensions"
