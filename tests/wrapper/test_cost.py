"""How often the wrapper invokes dbt, counted in dbt's own log."""

from __future__ import annotations

from support import DbtProject
from wrapper.conftest import Cli

STARTED = "Running with dbt="


def starts(project: DbtProject) -> int:
    """Returns how many invocations of dbt have written into the project's log so far."""
    log = project.folder / "logs" / "dbt.log"
    return log.read_text().count(STARTED) if log.exists() else 0


def test_from_nothing_to_a_finished_leaf_is_one_invocation_of_dbt(cli: Cli, shop: DbtProject) -> None:
    """The supervised dbt heals in its own hook, in the one process that runs the leaf too."""
    cli(shop, "exec", "--", "dbt", "run", "-s", "report")
    assert starts(shop) == 1


def test_a_workspace_that_is_ready_is_answered_without_dbt(cli: Cli, shop: DbtProject) -> None:
    """The first `ensure` invokes dbt at most three times in its one process, the next ones not at all."""
    cli(shop, "ensure")
    first = starts(shop)
    assert 1 <= first <= 3
    cli(shop, "ensure")
    cli(shop, "ensure")
    assert starts(shop) == first
