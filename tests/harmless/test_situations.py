"""No harm: what works without the package works with it, with the same rows, files, exit code and results.

Each folder in situations/ is one situation; a new one is a new folder (README.md beside this file).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harmless.situation import Situation, situations
from harmless.world import World
from packaging.specifiers import SpecifierSet
from support import ROOT, Environment

CATALOGUE = list(situations())
ONE_OF_EACH_KIND = list({situation.name[:2]: situation for situation in CATALOGUE}.values())
PROMISE = pytest.mark.promise("No harm", cases="all")


@pytest.mark.duckdb
@pytest.mark.postgres
@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(situation, marks=[PROMISE] if situation in ONE_OF_EACH_KIND else [], id=situation.name)
        for situation in CATALOGUE
    ],
)
def test_the_package_does_no_harm(
    situation: Situation,
    adapter_name: str,
    dbt_environment: Environment,
    make_world: Callable[[Situation], World],
    record_property: Callable[[str, object], None],
) -> None:
    version = dbt_environment.dbt_version
    if adapter_name not in situation.adapters:
        pytest.skip(f"not on {adapter_name}")
    if not SpecifierSet(situation.dbt).contains(version, prereleases=True):
        pytest.skip(f"needs dbt-core {situation.dbt}, this is {version}")
    lacking = [
        need for need in situation.needs if need != "postgres_fdw" and not dbt_environment.version_of(need)
    ]
    if lacking:
        pytest.skip(f"needs {', '.join(lacking)}")
    problems = make_world(situation).judge()
    equal = not any(problems.values())
    states = [f"{state} {'NOT EQUAL' if found else 'equal'}" for state, found in problems.items()]
    record_property(
        "harmless", f"{'equal' if equal else 'DIFFERS':8} {situation.name:52} {', '.join(states)}"
    )
    texts = [f"{state}: {text}" for state, found in problems.items() for text in found]
    _keep(f"{adapter_name}-{version}", situation.name, texts)
    assert equal, f"{situation.name}: {situation.description}\n" + "\n".join(texts)


def _keep(run: str, name: str, texts: list[str]) -> None:
    """Keeps what was found, for whoever does not want to wait for the end of all tests."""
    folder = ROOT / "target" / "harmless" / run
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text("\n".join(texts) or "equal")
