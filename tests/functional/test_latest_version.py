"""The view of a versioned model's latest version, which dbt makes beside it from 1.12 on."""

from __future__ import annotations

import pytest
from conftest import ProjectFactory
from functional.helpers import built

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.dbt_version(">=1.12")]

FILES = {
    "models/dim_v1.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/dim_v2.sql": "{{ config(materialized='table') }} select 2 as id",
    "models/leaf.sql": "{{ config(materialized='table') }} select id from {{ ref('dim') }}",
    "models/dim.yml": (
        "models:\n  - name: dim\n    latest_version: 2\n"
        "    config: {latest_version_pointer: {enabled: true}}\n"
        "    versions: [{v: 1}, {v: 2}]\n"
    ),
}


@pytest.mark.parametrize("alias", [None, "dim_now"])
@pytest.mark.promise("Healed equals built")
def test_a_healed_latest_version_has_its_view(make_project: ProjectFactory, alias: str | None):
    files = dict(FILES)
    if alias:
        pointer = f"{{enabled: true, alias: {alias}}}"
        files["models/dim.yml"] = files["models/dim.yml"].replace("{enabled: true}", pointer)
    plain, healed = make_project(files, install=False), make_project(files)
    plain.dbt("build", "-s", "+leaf")
    assert built(healed.dbt("run", "-s", "leaf")) == ["dim"]
    kinds = {name.split(".")[1]: kind for name, kind in healed.relations().items()}
    assert kinds == {name.split(".")[1]: kind for name, kind in plain.relations().items()}
    assert kinds[alias or "dim"] == "view"
    assert healed.rows(alias or "dim") == [(2,)]
    assert built(healed.dbt("run", "-s", "leaf")) == []
