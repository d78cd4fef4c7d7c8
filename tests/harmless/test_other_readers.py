"""Other programs read a dbt project too: what they do with it works with the package as without it.

Each needs an environment of its own (`scripts/environments sqlmesh`); run with --readers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from harmless.programs import environment_of, run_program
from support import DbtProject, DbtServer, DuckDbDatabase

pytestmark = [pytest.mark.duckdb, pytest.mark.readers, pytest.mark.timeout(900)]
with_and_without = pytest.mark.parametrize(
    "install", [False, True], ids=["without the package", "with the package"]
)

FILES = {
    "models/raw.sql": "{{ config(materialized='table') }}\nselect 42 as id\n",
    "models/leaf.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('raw') }}\n",
}
SQLMESH = {
    "config.py": (
        "from pathlib import Path\n\nfrom sqlmesh.dbt.loader import sqlmesh_config\n\n"
        "config = sqlmesh_config(Path(__file__).parent)\n"
    ),
}
SQLFLUFF = {
    ".sqlfluff": "[sqlfluff]\ntemplater = dbt\ndialect = duckdb\n",
    "models/untidy.sql": "select id FROM {{ ref('raw') }}\n",
}
# Materializes the assets that are named, or all.
DAGSTER = {
    "job.py": """\
import sys
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

project = DbtProject(project_dir=Path.cwd())
project.preparer.prepare(project)


@dbt_assets(manifest=project.manifest_path)
def shop(context, dbt: DbtCliResource):
    yield from dbt.cli(["build"], context=context).stream()


done = dg.materialize(
    [shop],
    resources={"dbt": DbtCliResource(project_dir=project)},
    selection=sys.argv[1:] or None,
    raise_on_error=False,
)
for event in done.get_asset_materialization_events():
    print("materialized:", event.asset_key.to_user_string())
sys.exit(not done.success)
""",
}
PREFECT = {
    "flow.py": """\
import sys
from pathlib import Path

from prefect import flow
from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings


@flow
def shop(arguments):
    settings = PrefectDbtSettings(project_dir=Path.cwd(), profiles_dir=Path.cwd())
    PrefectDbtRunner(settings=settings).invoke(arguments)


shop(sys.argv[1:])
""",
}
COSMOS = {
    "dags/shop.py": """\
import os
from datetime import datetime
from pathlib import Path

from cosmos import DbtDag, ProfileConfig, ProjectConfig, RenderConfig

project = Path(__file__).parent.parent
dag = DbtDag(
    dag_id="shop",
    project_config=ProjectConfig(project),
    profile_config=ProfileConfig("shop", "dev", profiles_yml_filepath=project / "profiles.yml"),
    render_config=RenderConfig(select=os.environ["SELECTED"].split()),
    start_date=datetime(2024, 1, 1),
    schedule=None,
)
""",
}
RECCE = {
    "recce.yml": """\
checks:
  - {name: rows, type: row_count_diff, params: {node_names: [raw, leaf]}}
  - name: values
    type: query_diff
    params: {sql_template: "select id from {{ ref('leaf') }}", primary_keys: [id]}
""",
}


class RunNodes(Protocol):
    """Lets a program run the nodes that are named, or all; its exit code must be `code`."""

    def __call__(self, *names: str, code: int) -> str:
        """Returns the output."""
        ...


@with_and_without
def test_sqlmesh_plans_and_builds(tmp_path: Path, dbt_server: DbtServer, install: bool) -> None:
    environment = environment_of("sqlmesh")
    config = {"models": {"+start": "Jan 1 2024"}}
    project = _project(tmp_path, dbt_server, SQLMESH, install=install, config=config)
    for _ in ("cold", "warm"):
        output = run_program(environment, project.folder, "sqlmesh", "plan", "--auto-apply", "--no-prompts")
        assert project.query("select id from main.leaf") == [(42,)], output


@with_and_without
def test_sqlfluff_lints(tmp_path: Path, dbt_server: DbtServer, install: bool) -> None:
    environment = environment_of("sqlfluff")
    project = _project(tmp_path, dbt_server, SQLFLUFF, install=install)
    lint = partial(run_program, environment, project.folder, "sqlfluff", "lint")
    for state in ("cold", "warm"):
        if state == "warm":
            run_program(environment, project.folder, "dbt", "run", "--select", "raw", "leaf")
        there = project.relations()
        lint("models/leaf.sql")
        assert "CP01" in lint("models/untidy.sql", code=1)
        assert project.relations() == there
        assert len(there) == (2 if state == "warm" else 0)


@with_and_without
def test_dagster_materializes(tmp_path: Path, dbt_server: DbtServer, install: bool) -> None:
    environment = environment_of("dagster")
    project = _project(tmp_path, dbt_server, DAGSTER, install=install)

    def materialize(*names: str, code: int) -> str:
        output = run_program(environment, project.folder, "python", "job.py", *names, code=code)
        materialized = {line.split()[1] for line in output.splitlines() if line.startswith("materialized: ")}
        # What is healed is not what was asked for.
        assert materialized == (set(names or ("raw", "leaf")) if code == 0 else set()), output
        return output

    _check_cold_and_warm(project, materialize, install=install)


@with_and_without
def test_prefect_runs(tmp_path: Path, dbt_server: DbtServer, install: bool) -> None:
    environment = environment_of("prefect")
    project = _project(tmp_path, dbt_server, PREFECT, install=install)
    variables = {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "150",
    }

    def run(*names: str, code: int) -> str:
        arguments = ["build", *(["--select", *names] if names else [])]
        return run_program(
            environment, project.folder, "python", "flow.py", *arguments, code=code, variables=variables
        )

    _check_cold_and_warm(project, run, install=install)


@with_and_without
def test_cosmos_runs_a_dag(tmp_path: Path, dbt_server: DbtServer, install: bool) -> None:
    environment = environment_of("cosmos")
    project = _project(tmp_path, dbt_server, COSMOS, install=install)
    variables = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project.folder / "dags"),
        "AIRFLOW__CORE__DAG_DISCOVERY_SAFE_MODE": "False",  # it looks for the word airflow in the file
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "240",
        "AIRFLOW__COSMOS__CACHE_DIR": str(tmp_path / "cosmos"),
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
    }
    airflow = partial(run_program, environment, project.folder, "airflow")
    airflow("db", "migrate", variables=variables)

    def run(*names: str, code: int) -> str:
        selected = {"SELECTED": " ".join(names)}
        return airflow("dags", "test", "shop", code=code, variables={**variables, **selected})

    _check_cold_and_warm(project, run, install=install)


@with_and_without
def test_recce_compares(tmp_path: Path, dbt_server: DbtServer, install: bool) -> None:
    environment = environment_of("recce")
    project = _project(tmp_path, dbt_server, RECCE, install=install)
    run = partial(run_program, environment, project.folder)
    (tmp_path / "home" / ".recce").mkdir(parents=True)
    (tmp_path / "home" / ".recce" / "profile.yml").write_text("{user_id: tests, anonymous_tracking: false}\n")
    more = FILES["models/raw.sql"] + "union all select 43\n"
    for state in ("cold", "warm"):
        for schema, raw, folder in (
            ("base", FILES["models/raw.sql"], "target-base"),
            ("main", more, "target"),
        ):
            project.write_profile(schema=schema)
            project.write({"models/raw.sql": raw})
            if state == "warm":
                run("dbt", "run", "--target-path", folder)
            run("dbt", "docs", "generate", "--target-path", folder)
        there = project.relations()
        output = run("recce", "run")
        rows, values = json.loads((project.folder / "recce_state.json").read_text())["runs"]
        counts = {name: (found["base"], found["curr"]) for name, found in rows["result"].items()}
        number = (1, 2) if state == "warm" else (None, None)
        assert counts == {"raw": number, "leaf": number}, output
        if state == "warm":
            assert values["result"]["diff"]["data"] == [[43, False, True]], output
        else:
            assert "does not exist" in values["error"], output
        assert project.relations() == there
        assert len(there) == (4 if state == "warm" else 0)


def _check_cold_and_warm(project: DbtProject, run: RunNodes, *, install: bool) -> None:
    """Runs the leaf and then all with nothing built, and the leaf with all built; compares the rows."""
    output = run("leaf", code=0 if install else 1)
    if install:
        assert project.relations() == {"main.raw": "table", "main.leaf": "table"}, output
    else:
        assert "Table with name raw does not exist" in output
        assert project.relations() == {}
    project.drop(*project.names())
    run(code=0)
    assert project.rows("leaf") == project.rows("raw") == [(42,)]
    project.execute("update main.raw set id = 43")
    run("leaf", code=0)
    assert project.rows("leaf") == project.rows("raw") == [(43,)]  # what was there is untouched


def _project(
    folder: Path,
    dbt_server: DbtServer,
    files: Mapping[str, str],
    *,
    install: bool,
    config: Mapping[str, object] | None = None,
) -> DbtProject:
    """Makes the project in a folder, with the files that one of the programs needs."""
    (folder / "database").mkdir()
    (folder / "home").mkdir()
    database = DuckDbDatabase(folder / "database")
    return DbtProject(
        folder / "project", database, dbt_server, files={**FILES, **files}, config=config, install=install
    )
