"""What healing relies upon in dbt without a word of it in dbt's documentation: one check each.

A new version of dbt then names what it broke.
The list and the reasons are docs/decisions/0014.
"""

from __future__ import annotations

import json

import pytest
from conftest import ProjectFactory
from functional.helpers import printed
from support import DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres]

MANIFEST = "builtins.ref.manifest"
NODE = f"{MANIFEST}.nodes['model.shop.leaf']"
RELIANCES = {
    "context is the dict that macros see": (
        "context is mapping and (context.maps or [context])[0].update({'put_in': 1}) is none and is_seen()"
    ),
    "the context holds dbt's own macros": "context['dbt']['statement'] is defined",
    "a macro's source can be read": "'run_query' in context['dbt']['run_query'].macro.macro_sql",
    "builtins can be replaced": (
        "builtins is mapping and builtins.ref is defined and builtins.config is defined"
    ),
    "ref holds the manifest": f"{MANIFEST}.nodes | length >= 2",
    "the manifest is that of the hook, hooks included": f"'-on-run-start-' in {MANIFEST}.nodes | join",
    "disabled nodes are listed": f"{MANIFEST}.disabled is mapping",
    "macros can be looked up": f"'macro.dbt.run_query' in {MANIFEST}.macros",
    "materializations are found": (
        f"{MANIFEST}.find_materialization_macro_by_name('shop', 'table', adapter.type()).name is string"
    ),
    "refs are resolved": f"{MANIFEST}.resolve_ref({NODE}, 'raw', none, none, 'shop', 'shop').name == 'raw'",
    "sources are resolved": f"{MANIFEST}.resolve_source('s', 't', 'shop', 'shop').name == 't'",
    "rights to refs are known": f"{MANIFEST}.is_invalid_private_ref({NODE}, {NODE}, {{}}) is false",
    "a node knows its parents": f"{NODE}.depends_on_nodes == ['model.shop.raw']",
    "a node is a dict, and a dict a node": f"{NODE}.from_dict({NODE}.to_dict()).name == 'leaf'",
    "a node's code is there": f"'ref' in {NODE}.raw_code",
    "defer_relation is set only by --defer": f"{NODE}.defer_relation is none",
    "the project's configuration is there": (
        "adapter.config.project_name == 'shop' and adapter.config.project_root is string"
    ),
    "vars are there as they were written": (
        "adapter.config.vars.to_dict() is mapping and adapter.config.cli_vars is mapping"
    ),
    "vars of a node are resolved": f"adapter.config.vars.vars_for({NODE}, adapter.type()) is mapping",
    "quoting and credentials are there": (
        "adapter.config.quoting is mapping and adapter.config.credentials.type is string"
    ),
    "the command's arguments are there": "adapter.config.args is defined and invocation_args_dict is mapping",
    "packages are there": "'dbt_selfheal' in adapter.config.dependencies",
    "what is selected is known": "selected_resources == ['model.shop.leaf']",
    "a statement hands over its connection": (
        "adapter.add_query('select 1', auto_begin=false)[0].transaction_open is boolean"
    ),
    "a connection has its driver's handle": (
        "adapter.add_query('select 1', auto_begin=false)[0].handle.cursor is defined"
    ),
    "a result is an agate table": "run_query('select 1 as x').from_object([{'a': 1}]).rows | length == 1",
    "an agate table reads files": (
        "run_query('select 1 as x').from_csv is defined and run_query('select 1 as x').from_json is defined"
    ),
    "types of a result are dbt's own": "run_query('select 1 as x').column_types[0].test(1)",
    "the cache can be told": "adapter.cache_added is defined and adapter.cache_dropped is defined",
    "an error can be raised for a call": "try_or_compiler_error('no', dict) == {}",
    "templates can be rendered": "render('{{ 1 + 1 }}') == '2'",
    "the hook is a node": "model.unique_id.startswith('operation.')",
    "a namespace takes macros": "namespace(f=context['dbt']['run_query']).f is defined",
}
FILES = {
    "models/raw.sql": "select 1 as id",
    "models/leaf.sql": "select id from {{ ref('raw') }}",
    "models/sources.yml": "sources: [{name: s, tables: [{name: t}]}]\n",
    "macros/probe.sql": "".join(
        [
            "{% macro is_seen() %}{% do return(put_in == 1 and context['put_in'] == 1) %}{% endmacro %}\n",
            "{% macro probe() %}{% if execute %}{% set found = {} %}\n",
            *(
                f"{{% do found.update({{{json.dumps(name)}: ({text}) | string}}) %}}\n"
                for name, text in RELIANCES.items()
            ),
            "{% do log('found ' ~ tojson(found), info=true) %}{% endif %}{% endmacro %}",
        ]
    ),
}


def probe(project: DbtProject) -> dict[str, str]:
    """Returns what the project's hook finds."""
    lines = printed(project.dbt("run", "-s", "leaf"))
    content: dict[str, str] = json.loads(next(line for line in lines if line.startswith("found "))[6:])
    return content


@pytest.mark.promise("Several versions of dbt")
def test_all_that_is_relied_upon_is_there(make_project: ProjectFactory):
    project = make_project(
        FILES, config={"on-run-start": ["{{ dbt_selfheal.ensure_initialized() }}", "{{ probe() }}"]}
    )
    project.dbt("run", "-s", "raw")
    assert [name for name, value in probe(project).items() if value != "True"] == []
