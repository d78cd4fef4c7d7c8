"""The project that a fork server of dbt runs before its first child: of each kind of node and file one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.environments import ROOT, DbtServer, Environment

FILES = {
    "dbt_project.yml": (
        "name: warm_up\nversion: 1.0.0\nconfig-version: 2\nprofile: warm_up\nmodel-paths: [models]\n"
        "vars: {a: 1}\non-run-end: ['select 1']\n"
    ),
    "seeds/items.csv": "id,name,price\n1,ax,1.5\n2,saw,\n",
    "models/a_view.sql": "select * from {{ ref('items') }} where {{ var('a') }} = 1",
    "models/a_table.sql": "{{ config(materialized='table') }}\nselect * from {{ ref('a_view') }}",
    "models/an_ephemeral.sql": "{{ config(materialized='ephemeral') }}\nselect * from {{ ref('a_table') }}",
    "models/an_incremental.sql": (
        "{{ config(materialized='incremental') }}\nselect id from {{ ref('an_ephemeral') }}\n"
        "{% if is_incremental() %}where id > 1{% endif %}"
    ),
    "models/of_a_source.sql": "select * from {{ source('raw', 'items') }} -- {{ ref('items') }}",
    "models/properties.yml": """
version: 2
sources: [{name: raw, schema: "{{ target.schema }}", tables: [{name: items}]}]
models:
  - {name: a_view, description: Described., columns: [{name: id, data_tests: [not_null, unique]}]}
exposures:
  - {name: board, type: dashboard, owner: {email: a@example.com}, depends_on: ["ref('a_table')"]}
unit_tests:
  - name: a_unit_test
    model: a_table
    given: [{input: ref('a_view'), rows: [{id: 1}]}]
    expect: {rows: [{id: 1}]}
""",
    "snapshots/a_snapshot.sql": (
        "{% snapshot a_snapshot %}{{ config(target_schema=target.schema, unique_key='id', strategy='check', "
        "check_cols='all') }}select * from {{ ref('a_table') }}{% endsnapshot %}"
    ),
    "tests/a_test.sql": "select * from {{ ref('a_table') }} where id < 0",
    "macros/a_macro.sql": "{% macro a_macro() %}{{ return(1) }}{% endmacro %}",
}


def warm_server(environment: Environment, adapter: str, folder: Path) -> DbtServer:
    """Makes a fork server that has parsed this repository's package, dbt's macros and those of an adapter.

    Args:
        environment: Where dbt is installed.
        adapter: The adapter of the tests.
        folder: Where the project is made; it must not exist.

    Returns:
        The server, which starts at its first use.
    """
    outputs: dict[str, dict[str, Any]] = {
        "duckdb": {"type": "duckdb", "path": str(folder / "warm_up.duckdb"), "schema": "main"},
        "postgres": {
            "type": "postgres", "host": "nowhere", "user": "nobody", "password": "", "port": 1,
            "dbname": "nothing", "schema": "none",
        },
        "sqlite": {
            "type": "sqlite", "database": "database", "schema": "main", "schema_directory": str(folder),
            "schemas_and_paths": {"main": str(folder / "main.db")},
        },
        "clickhouse": {"type": "clickhouse", "driver": "http", "host": "nowhere", "schema": "none"},
        "redshift": {
            "type": "redshift", "method": "database", "host": "nowhere", "user": "nobody", "password": "none",
            "port": 1, "dbname": "nothing", "schema": "none",
        },
        "snowflake": {
            "type": "snowflake", "account": "nowhere", "user": "nobody", "password": "none",
            "database": "nothing", "warehouse": "none", "schema": "none",
        },
        "spark": {"type": "spark", "method": "session", "host": "localhost", "schema": "none"},
    }  # fmt: skip
    profile = {"warm_up": {"target": adapter, "outputs": outputs}}
    files = {**FILES, "profiles.yml": json.dumps(profile)}
    files["packages.yml"] = json.dumps({"packages": [{"local": str(ROOT)}]})
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    (folder / "dbt_packages").mkdir()
    (folder / "dbt_packages" / "dbt_selfheal").symlink_to(ROOT)
    # A fork loses threads: so nothing opens a database, and the static parser, which has threads, is off.
    options = ["--quiet", "--no-use-colors", "--no-static-parser"]
    commands = [[*options, command, "--target", adapter] for command in ("parse", "parse")]
    return DbtServer(environment, folder, commands)
