"""The page docs/schema.md does what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from functional.pages import play_page
from support import DbtProject, Environment

pytestmark = [pytest.mark.duckdb, pytest.mark.both_packages]


def test_the_page_on_schemas_is_true(
    make_project: Callable[..., DbtProject], dbt_environment: Environment
) -> None:
    project = make_project({}, config={"vars": {"dbt_selfheal": {"timeout_seconds": 300}}})
    play_page("schema.md", project, dbt_environment.variables())
