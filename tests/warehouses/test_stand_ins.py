# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Healing on warehouses that can be stood for: each promise of a row of the README's table, read from the catalog.

scripts/test --only snowflake        by fakesnow, an emulator over DuckDB
scripts/test --only redshift         by PostgreSQL, behind dbt-redshift and its driver
scripts/test --only clickhouse       by chdb, the engine itself
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from conftest import ProjectFactory
from functional.helpers import built
from support import DbtProject, DbtServer, Environment

from warehouses.results import keep

pytestmark = [pytest.mark.clickhouse, pytest.mark.redshift, pytest.mark.snowflake]

#: What the leaves need, and the order is dbt's.
BEDS = Path(__file__).with_name("beds")
KILLED = Path(__file__).with_name("killed.py")
#: Where a run is killed: before the first statement that matches.
BEFORE = {
    "the rows of a seed": r"insert\s+(overwrite\s+)?into\s+\S*raw",
    "a table": r"create\s.*\bwide\b",
    "an incremental model": r"create\s.*\bgrown\b",
}
PARENTS = {"raw", "other_raw", "staged", "wide", "grown", "history", "elsewhere"}
FILES = {
    "seeds/raw.csv": (
        "id,day,moment,share,flag,code,name\n"
        "1,2024-01-01,2024-01-01 10:00:00,1.5,true,007,it's\n"
        '2,2024-02-29,2024-02-29 23:59:59,0.25,false,010,"a, b"\n'
    ),
    "seeds/other_raw.csv": "id,label\n1,one\n3,three\n",
    "models/thin.sql": "{{ config(materialized='ephemeral') }} select id, name, moment from {{ ref('raw') }}",
    "models/staged.sql": (
        "{{ config(materialized='view') }} select id, name, moment, '{{ var(\"who\") }}' as who from {{ ref('thin') }}"
    ),
    "models/wide.sql": (
        "{{ config(materialized='table', post_hook=\"insert into {{ this }} select 9, 'nine', 'me'\") }}\n"
        "select s.id as id, s.name as name, s.who as who from {{ ref('staged') }} s"
    ),
    "models/grown.sql": (
        "{{ config(materialized='incremental', unique_key='id') }} select id, name from {{ ref('wide') }}"
        "{% if is_incremental() %} where id > 1{% endif %}"
    ),
    "models/elsewhere.sql": (
        "{{ config(materialized='table', schema='other', alias='aliased') }}\n"
        "select g.id as id, o.label as label from {{ ref('grown') }} g join {{ source('given', 'other_raw') }} o on o.id = g.id"
    ),
    "snapshots/history.sql": (
        "{% snapshot history %}{{ config(target_schema=target.schema, unique_key='id', strategy='timestamp', "
        "updated_at='moment') }}select * from {{ ref('staged') }}{% endsnapshot %}"
    ),
    "models/leaf.sql": (
        "{{ config(materialized='table') }} select h.id as id, h.name as name from {{ ref('history') }} h "
        "left join {{ ref('elsewhere') }} e on e.id = h.id"
    ),
    "models/reader.sql": "{{ config(materialized='table') }} select id, name from {{ ref('wide') }}",
    "models/second_leaf.sql": "{{ config(materialized='table') }} select * from {{ ref('elsewhere') }}",
    "models/sources.yml": (
        "sources: [{name: given, schema: '{{ target.schema }}', tables: [{name: other_raw}, {name: absent}]}]\n"
    ),
    "seeds/raw.yml": 'seeds: [{name: raw, config: {column_types: {code: \'{{ "String" if target.type == "clickhouse" else "varchar" }}\'}}}]\n',
}
CONFIG: dict[str, Any] = {"vars": {"who": "me"}}


def facts(project: DbtProject) -> dict[str, Any]:
    """What the catalog says, with the schema under one name; what a snapshot makes of the clock is left out."""
    schema = project.database.default_schema
    text = json.dumps(project.database.catalog(), default=str, sort_keys=True)  # type: ignore[attr-defined]
    found: dict[str, Any] = json.loads(text.replace(schema, "dev").replace(schema.lower(), "dev"))
    return found


@pytest.fixture
def engine(dbt_environment: Environment, request: pytest.FixtureRequest) -> str:
    """What stands for the warehouse, with its version."""
    name = json.loads((BEDS / f"{dbt_environment.name}.json").read_text())["engine"]
    if name == "postgres":
        return f"PostgreSQL {request.getfixturevalue('postgres_server').version}"
    return f"{name} {dbt_environment.version_of(name)}"


def killed(project: DbtProject, server: DbtServer, pattern: str, *arguments: str) -> None:
    """Runs dbt, which is killed before the first statement of healing that matches."""
    folder = project.folder / "killed"
    folder.mkdir(exist_ok=True)
    process = server.start(
        [project.database.adapter, pattern, *arguments],
        folder=project.folder,
        variables={**server.environment.variables(), "DBT_LOG_PATH": str(folder)},
        stdout=folder / "stdout",
        stderr=folder / "stderr",
        script=KILLED,
    )
    assert process.wait(120) == -signal.SIGKILL, (folder / "stdout").read_text()


@pytest.mark.promise("Right on each warehouse")
def test_healed_equals_built(make_project: ProjectFactory, dbt_environment: Environment, engine: str) -> None:
    plain = make_project(FILES, config=CONFIG, install=False)
    plain.dbt("build")
    project = make_project(FILES, config=CONFIG)
    result = project.dbt("run", "-s", "leaf", "second_leaf", "reader")
    assert set(built(result)) == PARENTS
    wanted, found = facts(plain), facts(project)
    assert set(found) == set(wanted)
    for name, of in wanted.items():
        assert found[name] == of, name
    keep(dbt_environment, "equal", f"{len(found)} of {len(wanted)} relations", engine)


@pytest.mark.promise("Right on each warehouse")
def test_what_exists_stays_and_only_what_is_missing_comes_back(
    make_project: ProjectFactory, dbt_environment: Environment, engine: str
) -> None:
    project = make_project(FILES, config=CONFIG)
    project.dbt("run", "-s", "leaf", "second_leaf")
    assert built(project.dbt("run", "-s", "leaf", "second_leaf")) == [], "the second run does nothing"
    grown = project.database.quoted("grown")
    project.execute(f"insert into {grown} values (77, 'hand')")
    project.drop("wide")
    before = facts(project)
    result = project.dbt("run", "-s", "reader")
    assert built(result) == ["wide"]
    after = facts(project)
    assert {name.lower() for name in set(after) - set(before)} == {"dev.wide", "dev.reader"}
    for name, of in before.items():
        assert after[name] == of, name
    assert 77 in [int(row[0]) for row in project.rows("grown")]
    keep(dbt_environment, "stays", "", engine)


@pytest.mark.promise("Right on each warehouse")
def test_a_missing_source_is_named(
    make_project: ProjectFactory, dbt_environment: Environment, engine: str
) -> None:
    files = {
        **FILES,
        "models/wide.sql": "{{ config(materialized='table') }} select * from {{ source('given', 'absent') }}",
    }
    project = make_project(files, config=CONFIG)
    result = project.dbt_fails("run", "-s", "grown")
    assert "absent" in result.output
    assert "dbt_selfheal" in result.output
    assert "Traceback" not in result.output
    keep(dbt_environment, "source", "", engine)


def test_a_killed_run_is_repeated(
    make_project: ProjectFactory, dbt_server: DbtServer, dbt_environment: Environment, engine: str
) -> None:
    """With nothing cleaned up, and what comes of it is what an undisturbed run makes."""
    undisturbed = make_project(FILES, config=CONFIG)
    undisturbed.dbt("run", "-s", "leaf", "second_leaf")
    for pattern in BEFORE.values():
        project = make_project(FILES, config=CONFIG)
        killed(project, dbt_server, pattern, "run", "-s", "leaf", "second_leaf")
        project.dbt("run", "-s", "leaf", "second_leaf")
        assert facts(project) == facts(undisturbed), pattern
    keep(dbt_environment, "killed", f"killed before {', '.join(BEFORE)}", engine)


def test_what_another_run_has_made_meanwhile_is_left_as_it_is(
    make_project: ProjectFactory, adapter_name: str
) -> None:
    """Here a hook plays the other run: it makes `second` while healing is at `first`."""
    clause = "engine = MergeTree order by tuple()" if adapter_name == "clickhouse" else ""
    hook = f"create table {{{{ this | string | replace('first', 'second') }}}} {clause} as select 7 as id"
    files = {
        "models/first.sql": f'{{{{ config(materialized="table", post_hook="{hook}") }}}} select 1 as id',
        "models/second.sql": "{{ config(materialized='table') }} select id from {{ ref('first') }}",
        "models/last.sql": "{{ config(materialized='table') }} select id from {{ ref('second') }}",
    }
    project = make_project(files)
    result = project.dbt("run", "-s", "last")
    assert built(result) == ["first"]
    assert "1 built by another run meanwhile" in result.output
    assert [int(row[0]) for row in project.rows("last")] == [7]


def test_two_at_once(make_project: ProjectFactory, dbt_environment: Environment, engine: str) -> None:
    """Nothing keeps them apart: one may fail with the database's own words, and is repeated as it is. Nothing is doubled.

    One that failed may leave a seed's working table, which goes when that seed is healed the next time.
    """
    project, alone = make_project(FILES, config=CONFIG), make_project(FILES, config=CONFIG)
    alone.dbt("run", "-s", "leaf", "second_leaf")
    project.dbt("seed", "-s", "other_raw")  # makes the schema, for which dbt itself races
    running = [project.start("run", "-s", leaf) for leaf in ("leaf", "second_leaf")]
    for result in [each.wait(check=False) for each in running]:
        assert result.returncode == 0 or "Traceback" not in result.output, result.explain()
    for leaf in ("leaf", "second_leaf"):
        project.dbt("run", "-s", leaf)
    found = {name: of for name, of in facts(project).items() if "__dbt_selfheal_" not in name}
    assert found == facts(alone)
    keep(dbt_environment, "two", "", engine)
