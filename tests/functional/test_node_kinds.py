"""Each kind of node, healed in a hook, equals the one that a plain `dbt build` makes (invariant 3).

One project has them all: it is healed once, and built once on another database by dbt without the package.
The deep comparison on many databases is that of tests/fidelity.
"""

# ruff: noqa: E501 (files of a dbt project)

from __future__ import annotations

import sys
from typing import Any

import pytest
from functional.conftest import SharedProjectFactory
from functional.helpers import built
from support import ROOT, DbtProject, DuckDbDatabase

sys.path.insert(0, str(ROOT / "tests" / "fidelity"))

from catalog import Ignore, Snapshot, differences, snapshot

pytestmark = pytest.mark.duckdb

FILES = {
    # seed: all of dbt's types, nulls, a set type, a quoted column, another delimiter
    "seeds/kinds.csv": (
        "id,amount,day,at,flag,Text Value,zip,empty\n"
        '1,1.50,2026-01-31,2026-01-31T10:00:00,true,"a, b",01234,\n'
        "2,,2026-02-28,2026-02-28T23:59:59,false,null,99999,\n"
    ),
    "seeds/semicolons.csv": "id;name\n1;ada\n2;bob\n",
    "models/a_table.sql": "{{ config(materialized='table') }}\nselect id, amount * 2 as twice from {{ ref('kinds') }}",
    "models/a_view.sql": "{{ config(materialized='view') }}\nselect id from {{ ref('a_table') }} where id > 1",
    "models/an_incremental.sql": (
        "{{ config(materialized='incremental', unique_key='id') }}\n"
        "select id, flag from {{ ref('kinds') }}\n"
        "{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}"
    ),
    "snapshots/a_snapshot.sql": (
        "{% snapshot a_snapshot %}\n"
        "{{ config(target_schema='history', unique_key='id', strategy='check', check_cols=['amount']) }}\n"
        "select id, amount from {{ ref('kinds') }}\n{% endsnapshot %}"
    ),
    "models/eph_inner.sql": "{{ config(materialized='ephemeral') }}\nselect id, zip from {{ ref('kinds') }}",
    "models/eph_outer.sql": (
        "{{ config(materialized='ephemeral') }}\n-- with a comment\n"
        "with one as (select * from {{ ref('eph_inner') }}) select id, zip from one"
    ),
    "models/over_ephemerals.sql": (
        "{{ config(materialized='table') }}\n/* with */ with recursive n as (\n"
        "  select 1 as i union all select i + 1 from n where i < 3)\n"
        "select o.*, e.id as other, n.i from {{ ref('eph_outer') }} o, {{ ref('eph_inner') }} e, n"
    ),
    "models/placed.sql": (
        "{{ config(materialized='table', schema='elsewhere', alias='Placed_Here') }}\n"
        "select '{{ this }}' as me, * from {{ ref('semicolons') }}"
    ),
    "models/versioned_v1.sql": "{{ config(materialized='table') }}\nselect 1 as version",
    "models/versioned_v2.sql": "{{ config(materialized='table') }}\nselect 2 as version, 'new' as more",
    "models/reads_versions.sql": (
        "{{ config(materialized='table') }}\nselect a.version as first, b.version as latest\n"
        "from {{ ref('versioned', v=1) }} a, {{ ref('versioned') }} b"
    ),
    "models/contracted.sql": (
        "{{ config(materialized='table') }}\nselect cast(id as integer) as id, 'x' as name from {{ ref('kinds') }}"
    ),
    "models/indexed.sql": (
        "{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': true}]) }}\n"
        "select id from {{ ref('kinds') }}"
    ),
    "models/documented.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('kinds') }}",
    "models/hooked.sql": (
        "{{ config(materialized='table',\n"
        "  pre_hook='create table if not exists hook_log (what varchar)',\n"
        "  post_hook=[\"insert into hook_log select 'built {{ this.identifier }} ' || count(*) from {{ this }}\",\n"
        "             'insert into {{ this }} values (99)']) }}\n"
        "select id from {{ ref('kinds') }}"
    ),
    "models/by_project.sql": "{{ config(materialized='stamped', stamp='ours') }}\nselect id from {{ ref('kinds') }}",
    "macros/stamped.sql": (
        "{% materialization stamped, default %}\n"
        "{% set target_relation = this.incorporate(type='table') %}\n"
        "{% call statement('main') %}create table {{ target_relation }} as\n"
        "select *, '{{ config.require('stamp') }}' as stamp from ({{ sql }}) q{% endcall %}\n"
        "{{ adapter.commit() }}\n"
        "{% do return({'relations': [target_relation]}) %}\n{% endmaterialization %}"
    ),
    "models/schema.yml": """
version: 2
models:
  - name: versioned
    latest_version: 2
    versions: [{v: 1}, {v: 2}]
  - name: contracted
    config: {contract: {enforced: true}}
    constraints: [{type: check, expression: "id > 0"}]
    columns:
      - {name: id, data_type: integer, constraints: [{type: not_null}, {type: primary_key}]}
      - {name: name, data_type: varchar}
  - name: documented
    description: A table with "comments" and it's quotes.
    config: {persist_docs: {relation: true, columns: true}}
    columns: [{name: id, description: The key; unique.}]
""",
    "seeds/seeds.yml": """
version: 2
seeds:
  - name: kinds
    config: {column_types: {zip: varchar(5)}, quote_columns: true}
  - name: semicolons
    config: {delimiter: ";"}
""",
    # a package with its own vars, of which the project sets one, and its own macros
    "dbt_packages/atlas/dbt_project.yml": (
        "name: atlas\nversion: 1.0.0\nconfig-version: 2\nvars: {low: 1, high: 2, shown: '{{ 1 + 1 }}'}\n"
    ),
    "dbt_packages/atlas/macros/atlas.sql": "{% macro double(x) %}({{ x }} * 2){% endmacro %}",
    "dbt_packages/atlas/models/packaged.sql": (
        "{{ config(materialized='table') }}\n"
        "select {{ var('low') }} as low, {{ double(var('high')) }} as high, {{ var('none', 7) }} as seven"
    ),
}
NAMES = [
    "kinds", "semicolons", "a_table", "a_view", "an_incremental", "a_snapshot", "over_ephemerals", "placed",
    "versioned.v1", "versioned.v2", "reads_versions", "contracted", "indexed", "documented", "hooked",
    "by_project", "packaged",
]  # fmt: skip
_REFS = [
    f"ref('{name}')" if "." not in name else "ref('{}', v={})".format(*name.split(".v")) for name in NAMES
]
FILES["models/leaf.sql"] = "select 1 as id where 1 = 1" + "".join(
    f"\n  and (select count(*) from {{{{ {ref} }}}}) >= 0" for ref in _REFS
)
CONFIG: dict[str, Any] = {
    "vars": {"atlas": {"high": 20}, "shown": "{{ 3 * 7 }}"},
    "flags": {"send_anonymous_usage_stats": False},
}
# The time of the run, and what is made of it.
TIMES = Ignore(
    "history.a_snapshot",
    "time of the run",
    columns=("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"),
)


@pytest.fixture(scope="module")
def projects(make_shared_project: SharedProjectFactory) -> tuple[DbtProject, DbtProject]:
    """The project healed before its leaf runs, and built by plain dbt."""
    healed = make_shared_project(FILES, config=CONFIG)
    result = healed.dbt("run", "-s", "leaf")
    assert len(built(result)) == len(NAMES)
    assert result.statuses == {"leaf": "success"}
    plain = make_shared_project(FILES, config=CONFIG, install=False)
    plain.dbt("build", "--threads", "1")
    return healed, plain


@pytest.fixture(scope="module")
def facts(projects: tuple[DbtProject, DbtProject]) -> tuple[Snapshot, Snapshot]:
    """What the two databases say about their relations."""
    found = []
    for project in projects:
        assert isinstance(project.database, DuckDbDatabase)
        found.append(snapshot("duckdb", {"path": str(project.database.path)}))
    return found[0], found[1]


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        pytest.param("main.kinds", {"row_count": 2}, id="seed"),
        pytest.param("main.semicolons", {"row_count": 2}, id="seed-with-another-delimiter"),
        pytest.param("main.a_table", {"kind": "table"}, id="table"),
        pytest.param("main.a_view", {"kind": "view", "row_count": 1}, id="view"),
        pytest.param("main.an_incremental", {"kind": "table", "row_count": 2}, id="incremental"),
        pytest.param("history.a_snapshot", {"row_count": 2}, id="snapshot"),
        pytest.param("main.over_ephemerals", {"row_count": 12}, id="nested-ephemerals"),
        pytest.param("main_elsewhere.Placed_Here", {"row_count": 2}, id="custom-schema-and-alias"),
        pytest.param("main.versioned_v1", {}, id="version-1"),
        pytest.param("main.versioned_v2", {}, id="version-2"),
        pytest.param("main.reads_versions", {"rows": (("1", "2"),)}, id="refs-to-versions"),
        pytest.param("main.contracted", {}, id="contract-and-constraints"),
        pytest.param("main.indexed", {}, id="index"),
        pytest.param("main.documented", {}, id="persist-docs"),
        pytest.param("main.hooked", {"rows": (("1",), ("2",), ("99",))}, id="hooks"),
        pytest.param("main.hook_log", {"rows": (("built hooked 2",),)}, id="what-the-hooks-made"),
        pytest.param("main.by_project", {}, id="materialization-of-the-project"),
        pytest.param("main.packaged", {"rows": (("1", "40", "7"),)}, id="model-of-a-package-with-vars"),
    ],
)
def test_a_healed_relation_equals_a_built_one(
    facts: tuple[Snapshot, Snapshot], relation: str, expected: dict[str, Any]
):
    healed, plain = facts
    found = differences({relation: healed[relation]}, {relation: plain[relation]}, [TIMES])
    assert [str(difference) for difference in found] == []
    for fact, value in expected.items():
        assert getattr(plain[relation], fact) == value


def test_the_comparison_compares_constraints_indexes_and_comments(facts: tuple[Snapshot, Snapshot]):
    """Else equal would mean little."""
    plain = facts[1]
    assert any("PRIMARY KEY" in text for text in plain["main.contracted"].constraints)
    assert any("CHECK" in text for text in plain["main.contracted"].constraints)
    assert len(plain["main.indexed"].indexes) == 1
    assert "comments" in (plain["main.documented"].comment or "")
    assert plain["main.documented"].columns[0].comment == "The key; unique."
    assert [column.type for column in plain["main.kinds"].columns][:5] == [
        "INTEGER", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN",
    ]  # fmt: skip


def test_healing_leaves_nothing_but_the_relations_of_the_project(facts: tuple[Snapshot, Snapshot]):
    """No working relations, no state tables."""
    healed, plain = facts
    assert set(healed) == set(plain)


def test_a_healed_node_goes_on_as_if_it_had_been_built(projects: tuple[DbtProject, DbtProject]):
    """The next plain run of incremental and snapshot finds what it expects."""
    healed, plain = projects
    command = ["run", "-s", "an_incremental", "contracted", "indexed", "documented"]
    for project in (healed, plain):
        project.dbt(*command)
        project.dbt("snapshot")
    assert healed.rows("an_incremental") == plain.rows("an_incremental")
    assert len(healed.rows("history.a_snapshot")) == len(plain.rows("history.a_snapshot")) == 2
