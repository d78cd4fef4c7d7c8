"""The page docs/ci.md does what it says."""

from __future__ import annotations

import duckdb
import pytest
from conftest import ProjectFactory
from functional.pages import play_page


@pytest.mark.duckdb
def test_the_page_on_continuous_integration_is_true(make_project: ProjectFactory) -> None:
    project = make_project({})
    play_page("ci.md", project, {})
    with duckdb.connect(project.folder / "warehouse.duckdb", read_only=True) as connection:
        rows = connection.sql("select * from pr_42.customers order by 1").fetchall()
        views = connection.sql("select view_name from duckdb_views() where schema_name = 'pr_42'").fetchall()
    assert rows == [("ann", 40, 2), ("bob", 20, 1)]
    assert views == [("orders",)]
