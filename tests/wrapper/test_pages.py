"""The pages docs/health.md and docs/history.md do what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from functional.pages import play_page
from support import DbtProject
from wrapper.conftest import Cli

pytestmark = [pytest.mark.duckdb, pytest.mark.both_packages]


@pytest.mark.parametrize(("page", "settings"), [("health.md", {}), ("history.md", {"history": True})])
def test_the_page_is_true(
    make_project: Callable[..., DbtProject], cli: Cli, page: str, settings: dict[str, Any]
) -> None:
    config = {"vars": {"dbt_selfheal": {"timeout_seconds": 200, **settings}}}
    project = make_project(
        {}, config={**config, "model-paths": ["models", "dbt_packages/dbt_selfheal/models"]}
    )
    play_page(page, project, cli.variables())
