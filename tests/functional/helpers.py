"""The workspace that most functional tests heal, and how they look at what happened to it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import hypothesis
from hypothesis import strategies as st
from packaging.version import Version
from support import DbtProject, DbtResult, DuckDbDatabase

T = TypeVar("T")
SEEDS = ("config_age_bands", "config_tenure_bands", "census")
FOUNDATION = ("int_baseline_workforce", "int_employee_compensation_by_year", "int_employee_benefits")
REQUIRED = (*SEEDS, *FOUNDATION)
LEAF = "fct_contributions"

SETTINGS = {"required": ["tag:config", "tag:foundation"]}
CONFIG: dict[str, Any] = {
    "vars": {"dbt_selfheal": SETTINGS},
    "seeds": {"shop": {"+tags": ["config"]}},
    "models": {"shop": {"+materialized": "table", "foundation": {"+tags": ["foundation"]}}},
}
FILES = {
    "seeds/config_age_bands.csv": "band,min_age,max_age\nyoung,18,39\nold,40,99\n",
    "seeds/config_tenure_bands.csv": "band,min_years,max_years\nnew,0,4\nlong,5,99\n",
    "seeds/census.csv": "employee_id,age,years,salary\n1,25,1,50000.5\n2,45,10,90000\n3,61,30,120000.25\n",
    "models/foundation/int_baseline_workforce.sql": (
        "select c.*, a.band as age_band, t.band as tenure_band from {{ ref('census') }} c\n"
        "join {{ ref('config_age_bands') }} a on c.age between a.min_age and a.max_age\n"
        "join {{ ref('config_tenure_bands') }} t on c.years between t.min_years and t.max_years\n"
    ),
    "models/foundation/int_employee_compensation_by_year.sql": (
        "{{ config(materialized='incremental', unique_key='employee_id') }}\n"
        "select employee_id, 2026 as year, salary from {{ ref('int_baseline_workforce') }}\n"
    ),
    "models/foundation/int_employee_benefits.sql": (
        "select employee_id, age_band = 'old' as catch_up from {{ ref('int_baseline_workforce') }}\n"
    ),
    "models/fct_contributions.sql": (
        "select c.employee_id, c.salary * 0.06 as contribution, b.catch_up\n"
        "from {{ ref('int_employee_compensation_by_year') }} c\n"
        "join {{ ref('int_employee_benefits') }} b using (employee_id)\n"
    ),
    "models/schema.yml": (
        "version: 2\nmodels:\n"
        "  - name: int_employee_benefits\n    columns: [{name: employee_id, data_tests: [not_null]}]\n"
        "  - name: fct_contributions\n    columns: [{name: employee_id, data_tests: [not_null]}]\n"
    ),
    "snapshots/benefits_history.sql": (
        "{% snapshot benefits_history %}\n"
        "{{ config(target_schema='main', unique_key='employee_id', strategy='check', check_cols='all') }}\n"
        "select * from {{ ref('int_employee_benefits') }}\n"
        "{% endsnapshot %}\n"
    ),
}

_COMMENT = re.compile(r'^\s*/\* \{"app": "dbt".*?\*/\s*', re.DOTALL)
_TRANSACTION = {"begin", "commit", "rollback"}

# A seed, a view, an incremental model over it and a leaf.
TOTALS = {
    "seeds/items.csv": "id,amount\n1,10\n2,20\n3,30\n",
    "models/stg_items.sql": "{{ config(materialized='view') }}\nselect id, amount from {{ ref('items') }}",
    "models/totals.sql": (
        "{{ config(materialized='incremental', unique_key='id') }}\n"
        "select id, amount from {{ ref('stg_items') }}\n"
        "{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}"
    ),
    "models/leaf.sql": "{{ config(materialized='table') }}\nselect id, amount from {{ ref('totals') }}",
}


@dataclass(frozen=True)
class Fingerprint:
    """What must not change in a relation that healing leaves alone."""

    kind: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    comment: str | None


def clear(project: DbtProject) -> None:
    """Deletes the database's file: a workspace with no database."""
    assert isinstance(project.database, DuckDbDatabase)
    for path in project.database.path.parent.glob("warehouse.duckdb*"):
        path.unlink()


def make_ready(project: DbtProject) -> None:
    """Brings the database to the state after a `dbt build`, which it runs once and remembers."""
    assert isinstance(project.database, DuckDbDatabase)
    ready = project.folder / "ready.duckdb"
    clear(project)
    if not ready.exists():
        project.dbt("build")
        shutil.copyfile(project.database.path, ready)
    else:
        shutil.copyfile(ready, project.database.path)


def mark(project: DbtProject, names: Iterable[str]) -> None:
    """Puts a comment on tables and a row into them, which a build would not keep."""
    statements = []
    for name in names:
        statements += [
            f"comment on table {name} is 'marked before'",
            f"insert into {name} select * from {name} limit 1",
        ]
    project.execute(*statements)


def fingerprints(project: DbtProject) -> dict[str, Fingerprint]:
    """Returns what can be seen of every relation, by its name without the schema."""
    import duckdb

    assert isinstance(project.database, DuckDbDatabase)
    if not project.database.path.exists():
        return {}
    with duckdb.connect(str(project.database.path), read_only=True) as connection:
        relations = connection.execute(
            "select schema_name, table_name, 'table', comment from duckdb_tables() where not internal "
            "union all select schema_name, view_name, 'view', comment from duckdb_views() where not internal"
        ).fetchall()
        found = {}
        for schema, name, kind, comment in relations:
            columns = connection.execute(f'describe "{schema}"."{name}"').fetchall()
            rows = connection.execute(f'select * from "{schema}"."{name}" order by all').fetchall()
            found[name] = Fingerprint(kind, tuple(row[:2] for row in columns), tuple(rows), comment)
        return found


def built(result: DbtResult) -> list[str]:
    """Returns the names of the nodes that healing has built, in their order."""
    return [
        event["unique_id"].split(".")[2]
        for event in result.healing_events
        if event["event"] == "initialization_node_complete"
    ]


def printed(result: DbtResult) -> list[str]:
    """Returns the lines that macros have printed, which are those of the package."""
    return [
        line
        for event in result.events
        if event["info"]["name"] == "JinjaLogInfo"
        for line in event["info"]["msg"].splitlines()
    ]


def statements(result: DbtResult) -> list[str]:
    """Returns the SQL sent to the database, without dbt's comment and the ends of transactions."""
    found = [
        " ".join(_COMMENT.sub("", event["data"]["sql"]).split())
        for event in result.events
        if event["info"]["name"] == "SQLQuery"
    ]
    return [sql for sql in found if sql.lower().rstrip(";") not in _TRANSACTION]


def events(result: DbtResult, name: str) -> list[dict[str, Any]]:
    """Returns the package's events of one name."""
    return [event for event in result.healing_events if event["event"] == name]


def plan(result: DbtResult) -> dict[str, Any]:
    """Returns the one event of the plan."""
    (event,) = events(result, "initialization_plan")
    return event


def settings(**values: Any) -> Mapping[str, Any]:
    """Returns `vars` with these settings of the package."""
    return {"dbt_selfheal": values}


def hook_errors_stop(result: DbtResult) -> bool:
    """Tells whether this dbt stops at an error inside a hook; dbt 1.8 goes on to its nodes."""
    version: str = next(
        event["data"]["version"] for event in result.events if event["info"]["name"] == "MainReportVersion"
    )
    return Version(version.lstrip("=")) >= Version("1.9.0")


def refused(project: DbtProject, *arguments: str, builds: Sequence[str] = (), **options: Any) -> str:
    """Runs dbt, which the package must stop before the first node, with nothing built but what is said.

    Args:
        project: The project.
        *arguments: The command line after `dbt`.
        builds: The names of the nodes that healing builds before.
        **options: As of `DbtProject.dbt`.

    Returns:
        What dbt printed, with single blanks.
    """
    before = fingerprints(project)
    result = project.dbt(*arguments, check=False, **options)
    assert "dbt_selfheal" in result.output, result.explain()
    assert built(result) == list(builds)
    if hook_errors_stop(result) or arguments[0] == "run-operation":
        assert result.returncode > 0, result.explain()
        if arguments[0] != "run-operation":
            assert set(result.statuses.values()) <= {"skipped"}, "nodes ran after the error"
        after = fingerprints(project)
        assert {name: found for name, found in after.items() if name not in builds} == before
    return " ".join(re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in result.output.splitlines())


def in_rounds(
    strategy: st.SearchStrategy[T], *, rounds: int, each: int, check: Callable[[list[T]], object]
) -> None:
    """Calls `check` with lists of generated values, the same in each run of the tests.

    Args:
        strategy: Makes one value.
        rounds: How many lists.
        each: How many values are in a list: one start of dbt can look at all of them.
        check: Raises what is wrong.
    """

    @hypothesis.settings(
        max_examples=rounds,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=True,
    )
    @hypothesis.given(st.lists(strategy, min_size=each, max_size=each))
    def one_round(values: list[T]) -> None:
        check(values)

    one_round()
