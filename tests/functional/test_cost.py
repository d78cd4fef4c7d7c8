"""What the package costs, in numbers that do not depend on the machine."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import ProjectFactory
from functional.helpers import CONFIG, FILES, LEAF, built, statements
from support import DbtProject, DbtServer, DuckDbDatabase, Environment

pytestmark = pytest.mark.duckdb

COUNTING = Path(__file__).parents[1] / "support" / "counting.py"
PARENTS = 2  # of the leaf
# With settings, `_as_set`, `_settings` and `_setting_value` join them.
WARM_MACROS = {"ensure_initialized", "_is_satisfied"}
WARM_CHARACTERS = 1750  # dbt compiles a macro's source at each run, at some 36 Python calls a character
HEALING_CHARACTERS = 79_000  # of the package's macros; 78,445 were counted
WARM_CALLS = 560_000  # Python calls of a process of its own; 558,001 were measured


def counted(server: DbtServer, project: DbtProject, *arguments: str) -> dict[str, Any]:
    """Runs dbt, which must succeed, and returns what tests/support/counting.py counts."""
    folder = project.folder / "counted"
    folder.mkdir(exist_ok=True)
    target = folder / "counts.json"
    process = server.start(
        [str(target), *arguments],
        folder=project.folder,
        variables=server.environment.variables(),
        stdout=folder / "stdout",
        stderr=folder / "stderr",
        script=COUNTING,
    )
    process.wait(120)
    content: dict[str, Any] = json.loads(target.read_text())
    output = (folder / "stdout").read_text() + (folder / "stderr").read_text()
    assert content["code"] == 0, output
    return content


def with_and_without(make_project: ProjectFactory) -> tuple[DbtProject, DbtProject]:
    """The same workspace, ready, with and without the package; nothing is declared required."""
    config = {key: value for key, value in CONFIG.items() if key != "vars"}
    projects = make_project(FILES, config=config), make_project(FILES, config=config, install=False)
    for project in projects:
        project.dbt("build")
    return projects


def test_with_nothing_missing_the_same_queries_are_sent_as_without_the_package(make_project: ProjectFactory):
    """No extra query, for a leaf and for everything, also with a macro named a little like a migration."""
    with_package, without = with_and_without(make_project)
    for project in (with_package, without):
        project.write({"macros/report.sql": "{% macro migration_v2_report() %}{% endmacro %}"})
        project.dbt("parse")
    for arguments in (("run", "-s", LEAF), ("build",), ("test",)):
        ours, theirs = (project.dbt(*arguments) for project in (with_package, without))
        assert built(ours) == []
        sent = [sorted(re.sub(r"\d+", "0", sql) for sql in statements(result)) for result in (ours, theirs)]
        assert len(sent[0]) >= 3
        assert sent[0] == sent[1]


def test_with_nothing_missing_few_short_macros_run_once(make_project: ProjectFactory, dbt_server: DbtServer):
    """The warm path: two macros, each once; one look-up in dbt's cache for each unselected parent."""
    with_package, without = with_and_without(make_project)
    ours = counted(dbt_server, with_package, "run", "-s", LEAF)
    theirs = counted(dbt_server, without, "run", "-s", LEAF)
    assert set(ours["macros"]) == WARM_MACROS
    assert set(ours["macros"].values()) == {1}
    assert ours["compiled"] <= WARM_CHARACTERS
    assert theirs["macros"] == {}
    assert ours["lookups"] - theirs["lookups"] == PARENTS


@pytest.mark.dbt_version(">=1.12")
def test_with_nothing_missing_a_run_makes_few_more_python_calls(
    make_project: ProjectFactory, dbt_environment: Environment
):
    """Each macro of the package costs each command: manifest.json is written twice and read once."""
    files = {
        "models/raw.sql": "{{ config(materialized='table') }} select 1 as id",
        "models/leaf.sql": "{{ config(materialized='table') }} select id from {{ ref('raw') }}",
    }
    found = []
    for project in (make_project(files), make_project(files, install=False)):
        project.dbt("build")
        target = project.folder / "calls.json"
        for _ in range(2):  # what is parsed, and what Python has compiled, is on disk for the second
            subprocess.run(
                [dbt_environment.python, COUNTING, target, "run", "-s", "leaf"],
                cwd=project.folder,
                env={**dbt_environment.variables(), "PYTHONHASHSEED": "0"},
                stdout=subprocess.DEVNULL,
                check=True,
            )
        found.append(json.loads(target.read_text())["calls"])
    assert found[0] - found[1] <= WARM_CALLS, found


def chain_and_layers(nodes: int) -> dict[str, str]:
    """Models in rows of ten, each reading two of the row before, and a leaf that reads the last row."""
    files = {}
    for number in range(nodes):
        before = [number - 10, number - 10 - number % 10 + (number + 1) % 10] if number >= 10 else []
        refs = " union all ".join(f"select id from {{{{ ref('m{parent}') }}}}" for parent in before)
        files[f"models/m{number}.sql"] = refs or "select 1 as id"
    last = " union all ".join(f"select id from {{{{ ref('m{n}') }}}}" for n in range(nodes - 10, nodes))
    return {**files, "models/leaf.sql": last}


def test_the_plan_grows_with_the_number_of_nodes_and_not_faster(
    make_project: ProjectFactory, dbt_server: DbtServer
):
    """Operations of Jinja for a plan of everything, in a graph of three times the nodes."""
    found = []
    for nodes in (40, 120, 360):
        project = make_project(chain_and_layers(nodes))
        arguments = ("run-operation", "initialization_plan", "--args", '{"select": ["leaf"]}')
        project.dbt("parse")
        found.append(counted(dbt_server, project, *arguments))
    first, second = (b["operations"] - a["operations"] for a, b in (found[:2], found[1:]))
    assert first > 80
    assert second <= first * 3 * 1.1, found  # 240 more nodes cost three times what 80 more cost
    assert "_refusal" not in found[2]["macros"]  # for what is dbt's own alone; else once for each kind
    assert found[2]["macros"]["_survey"] == 1


def test_the_plan_renders_no_node_whose_code_is_plain(make_project: ProjectFactory, dbt_server: DbtServer):
    """Only a reader in whose code something else than a ref decides what it reads is rendered."""
    files = {
        "seeds/s.csv": "id\n1\n",
        "models/sources.yml": "sources:\n  - name: main\n    tables: [{name: s}]\n",
        "models/a.sql": "{{ config(materialized='table', tags=['x']) }} select id from {{ ref('s') }}",
        "models/b.sql": "{{config(materialized='view')}} select id from {{source('main', \"s\")}}",
        "models/c.sql": "select id from {{- ref('shop', 'a') -}} union all select id from {{ ref( 'b' ) }}",
        "models/d.sql": "select '{{ target.name }}' as t from {{ ref('c') }} join {{ ref('c') }} using (id)",
        "models/e.sql": "{{ config(materialized='incremental') }} {% set x = 1 %}"
        "select {{ x }} as id from {{ ref('d') }}",
        "models/f.sql": "{{ config(materialized='incremental') }} select id from {{ ref('d') }}",
    }
    project = make_project(files)
    project.dbt("parse")
    arguments = ("run-operation", "initialization_plan", "--args", '{"select": ["e", "f"]}')
    macros = counted(dbt_server, project, *arguments)["macros"]
    assert macros["_edges"] == macros["_rewritten_code"] == macros["_refusal"] == 1


def test_healing_compiles_what_it_needs_and_no_more(make_project: ProjectFactory, dbt_server: DbtServer):
    """For a seed, a view, a table and an incremental model: what is rarely needed has macros of its own."""
    files = {
        "seeds/s.csv": "id\n1\n",
        "models/v.sql": "{{ config(materialized='view') }} select id from {{ ref('s') }}",
        "models/t.sql": "{{ config(materialized='table') }} select id from {{ ref('v') }}",
        "models/i.sql": "{{ config(materialized='incremental') }} select id from {{ ref('t') }}",
        "models/leaf.sql": "select id from {{ ref('i') }}",
    }
    project = make_project(files)
    project.dbt("parse")
    found = counted(dbt_server, project, "run", "-s", "leaf")
    rare = {"_declared", "_hooks", "_missing_sources", "_leave_out", "_acquire_lock", "_duckdb_seed_outline"}
    rare |= {"_with_ctes", "_mark_postponed", "_look_again"}
    assert set(found["macros"]) & (rare | {"_plan_lines", "_tell_missing", "_read_node"}) == set()
    assert found["compiled"] <= HEALING_CHARACTERS


def test_with_nothing_missing_the_cost_does_not_grow_with_the_project(
    make_project: ProjectFactory, dbt_server: DbtServer
):
    """No loop over the graph: what a leaf of a larger project costs is what the leaf of a small one costs."""
    found = []
    for nodes in (40, 200):
        projects = [make_project(chain_and_layers(nodes), install=install) for install in (True, False)]
        operations = []
        for project in projects:
            assert isinstance(project.database, DuckDbDatabase)
            names = [Path(path).stem for path in chain_and_layers(nodes)]
            project.database.execute(*(f"create table main.{name} as select 1 as id" for name in names))
            project.dbt(
                "parse"
            )  # in which dbt renders a model now and then, at random, to check its own parser
            operations.append(counted(dbt_server, project, "run", "-s", "leaf")["operations"])
        found.append(operations[0] - operations[1])
    assert found[1] <= found[0] * 1.05, found


def test_with_nothing_missing_many_parents_are_not_looked_for_one_by_one(
    make_project: ProjectFactory, dbt_server: DbtServer
):
    """Dbt compares each look-up with every relation that it has cached: many take longer than one query."""
    names = [f"m_{number}" for number in range(600)]
    leaf = " union ".join(f"select id from {{{{ ref('{name}') }}}}" for name in names)
    files = {f"models/{name}.sql": "select 1 as id" for name in names} | {"models/leaf.sql": leaf}
    project = make_project(files, config={"models": {"+materialized": "table"}})
    assert isinstance(project.database, DuckDbDatabase)
    project.database.execute(*(f"create table main.{name} as select 1 as id" for name in names))
    project.dbt("parse")
    found = counted(dbt_server, project, "run", "-s", "leaf")
    assert found["lookups"] <= 150_000 / len(names) + 10
    assert found["macros"]["_names_in_schema"] == 1
    assert "_build_plan" not in found["macros"]
    assert project.rows("leaf") == [(1,)]


def test_healing_is_one_dbt_process_and_parses_once(make_project: ProjectFactory):
    """However much is missing: no dbt is started from within dbt, and nothing is parsed again."""
    project = make_project(FILES, config=CONFIG)
    parses = []
    for count in (6, 1):
        result = project.dbt("run", "-s", LEAF)
        assert len(built(result)) == count
        names = [event["info"]["name"] for event in result.events]
        assert names.count("MainReportVersion") == 1
        parses.append(names.count("UnableToPartialParse"))
        project.drop("census")
    assert parses == [1, 0]


@pytest.mark.postgres
def test_the_rows_of_a_seed_take_no_macro_call_each(make_project: ProjectFactory, dbt_server: DbtServer):
    """As `dbt seed` makes one, and a dispatch, for each value."""
    found = []
    for rows in (100, 400):
        project = make_project({"seeds/s.csv": "id,name\n" + "".join(f"{n},n{n}\n" for n in range(rows))})
        project.dbt("parse")
        found.append(counted(dbt_server, project, "run-operation", "ensure_initialized")["operations"])
    assert found[1] - found[0] < 900, found  # of Jinja, for 300 rows of two values; `dbt seed` takes 4,800


def test_the_rows_of_a_large_seed_are_not_looked_at_in_python(
    make_project: ProjectFactory, dbt_server: DbtServer
):
    """The database reads the file: dbt's conversion of types alone would look at each number of each row."""
    found = []
    for rows in (60_000, 120_000):
        lines = "".join(f"{n},name of {n},{n / 4}\n" for n in range(rows))
        project = make_project({"seeds/s.csv": "id,name,share\n" + lines})
        project.dbt("parse")
        found.append(counted(dbt_server, project, "run-operation", "ensure_initialized")["values"])
    assert found[0] == found[1] < 1000


@pytest.mark.postgres
def test_a_healed_node_takes_a_fixed_number_of_statements(make_project: ProjectFactory):
    """On PostgreSQL: who else makes it, begin, and dbt's own create, rename, commit and drop."""
    found = []
    for count in (2, 6):
        files = {
            f"models/m{n}.sql": "{{ config(materialized='table') }} select 1 as id" for n in range(count)
        }
        project = make_project(files)
        result = project.dbt("run-operation", "ensure_initialized")
        assert len(built(result)) == count
        found.append([event["data"]["sql"] for event in result.events if event["info"]["name"] == "SQLQuery"])
    adapter = project.database.adapter
    assert len(found[1]) - len(found[0]) == 4 * {"postgres": 6, "duckdb": 5}[adapter], found[1]


@pytest.mark.postgres
def test_a_healed_node_takes_a_bounded_number_of_operations(
    make_project: ProjectFactory, dbt_server: DbtServer
):
    """Of Jinja, where nothing is waited for: a loop that could wait is not begun."""
    found = []
    for count in (2, 6):
        files = {
            f"models/m{n}.sql": "{{ config(materialized='table') }} select 1 as id" for n in range(count)
        }
        project = make_project(files)
        project.dbt("parse")
        found.append(counted(dbt_server, project, "run-operation", "ensure_initialized")["operations"])
    assert found[1] - found[0] < 4 * 2000, found
    assert found[0] < 20_000, found  # the lock and the session included


@pytest.mark.postgres
def test_healing_asks_for_nothing_that_only_looks_like_a_setting(make_project: ProjectFactory):
    """`{% set ns.member = ... %}` in a macro that a hook calls, ours too, is Jinja's and no setting."""
    project = make_project(
        {
            "models/m.sql": "{{ config(materialized='table') }} select 1 as id",
            "macros/first.sql": "{% macro first() %}{% set ns = namespace(a=1) %}{% set ns.a = 2 %}"
            "select {{ ns.a }}{% endmacro %}",
        },
        config={"on-run-start": ["{{ first() }}"]},
    )
    result = project.dbt("run", "-s", "m")
    sent = [event["data"]["sql"] for event in result.events if event["info"]["name"] == "SQLQuery"]
    assert [sql for sql in sent if "current_setting" in sql and ", true)" in sql] == []


@pytest.mark.postgres
def test_what_a_node_leaves_open_is_rolled_back_as_dbt_does(make_project: ProjectFactory, adapter_name: str):
    """After a node nothing is sent; but this one has left a transaction, of which only the driver knows."""
    hooks = [
        {"sql": sql, "transaction": False}
        for sql in ("begin", "create table {{ this.schema }}.lost as select 1 as x")
    ]
    files = {
        "models/a.sql": f"{{{{ config(materialized='table', post_hook={hooks}) }}}} select 1 as id",
        "models/b.sql": "{{ config(materialized='table') }} select id from {{ ref('a') }}",
    }
    if adapter_name != "postgres":
        pytest.skip("here dbt knows of each transaction")
    left = []
    for command in (("build",), ("run-operation", "ensure_initialized")):
        project = make_project(files, install=command != ("build",))
        project.dbt(*command)
        left.append(project.names())
    assert left == [{"a", "b"}] * 2
