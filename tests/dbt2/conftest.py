"""A project with what dbt v2 builds in ways of its own, and what the tests ask of its database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import catalog
import pytest
from conftest import ProjectFactory
from support import DbtProject, PostgresDatabase
from wrapper.conftest import cli, shop

__all__ = ["cli", "shop"]  # fixtures

# Seeds with typed columns, ephemeral parents, a view, tables, an incremental model, a contract, comments,
# hooks, macros of the project, a snapshot, versions of a model, a package; and one leaf that reads it all.
FOLDER = Path(__file__).with_name("project")
FILES = {
    str(path.relative_to(FOLDER)).replace("helpers/", "dbt_packages/helpers/"): path.read_text()
    for path in FOLDER.rglob("*.*")
    if path.is_file()
}
MISSING = {
    "raw_people", "raw_orders", "orders", "order_view", "grown", "agreed", "price_v1", "price_v2", "kept",
    "of_package", "price",  # price: the view by the bare name of a latest version, which dbt itself makes
}  # fmt: skip

# A model that the command builds too is needed by one that it does not build.
REFUSING = {
    "seeds/raw.csv": "id\n1\n",
    "models/grown.sql": "{{ config(materialized='incremental') }} select 1 as id",
    "models/between.sql": "select * from {{ ref('grown') }}",
    "models/other.sql": "{{ config(materialized='table') }} select * from {{ ref('raw') }}",
    "models/leaf.sql": "select o.id from {{ ref('between') }} b, {{ ref('other') }} o",
}


@pytest.fixture
def project(make_project: ProjectFactory) -> DbtProject:
    """The project, with nothing built."""
    return make_project(FILES)


def facts(project: DbtProject) -> catalog.Snapshot:
    """Returns what the database's catalog says of its relations, with their rows."""
    database = project.database
    profile = database.profile()
    if isinstance(database, PostgresDatabase):
        arguments: dict[str, Any] = {key: profile[key] for key in ("host", "port", "user", "dbname")}
        return catalog.snapshot("postgres", arguments)
    return catalog.snapshot("duckdb", {"path": str(profile["path"])})
