"""How a node's code is made ready: ephemeral parents as CTEs, `config` and `var` inside Jinja only."""

# ruff: noqa: E501 (code and what it becomes, side by side)

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CTES = [" __dbt__cte__a as (\nselect 1 as id\n)", " __dbt__cte__b as (\nselect * from __dbt__cte__a\n)"]


def _bare(sql: str) -> str:
    """Returns SQL without any white space."""
    return re.sub(r"\s+", "", sql)


def _dbts_own(sql: str, ctes: list[str]) -> str:
    """Returns what dbt's compiler makes of a statement and its CTEs."""
    from dbt.compilation import inject_ctes_into_sql
    from dbt.contracts.graph.nodes import InjectedCTE

    made: str = inject_ctes_into_sql(sql, [InjectedCTE(id=str(i), sql=cte) for i, cte in enumerate(ctes)])
    return made


def test_without_ctes_the_code_stays_as_it_is(macro):
    assert macro("_with_ctes")("\n select 1 -- x", []) == "\n select 1 -- x"


@pytest.mark.parametrize(
    "code",
    [
        "select * from __dbt__cte__b",
        "\n\n  select 1\n",
        "with x as (select 1) select * from x",
        "WITH x AS (select 1) select * from x",
        "with recursive n as (select 1 as i union all select i + 1 from n where i < 3) select * from n",
        "With\n  Recursive n as (select 1) select * from n",
        "-- with y as\nwith x as (select 1) select * from x",
        "-- no with here\nselect 1",
        "/* with x as (select 1) */ select 1",
        "/* a * b ** */ /**/ -- c\nwith x as (select ')' as p) select * from x",
        "select 'with x as (select 1)' as text",
        "select 'it''s -- no comment' as a -- but this, with a '",
        "select within, without from withs",
        "with\tx as (select 1), y as (select 2) select * from x, y",
        "(select 1) union all (select 2)",
    ],
)
@pytest.mark.parametrize("ctes", [CTES[:1], CTES], ids=["one", "two"])
def test_ctes_are_put_in_front_as_dbt_puts_them(macro, code: str, ctes: list[str]):
    assert _bare(macro("_with_ctes")(code, ctes)) == _bare(_dbts_own(code, ctes))


SPACE = st.sampled_from([" ", "\n", "\t", "\n\n  "])
COMMENT = st.sampled_from(["-- with x as\n", "-- it's\n", "/* with */", "/* a\n * b **/", "/**/", "--\n"])
LEAD = st.lists(st.one_of(SPACE, COMMENT), max_size=4).map("".join)
WITH = st.sampled_from(["", "with ", "WITH\n", "With\t", "with recursive ", "WITH  RECURSIVE\n"])
BODY = st.sampled_from(
    [
        "select 'with q as (select 1)' as text, \"with\" from t -- with",
        "select case when a then ')' else '--' end from t /* ' */",
        "select within from withs",
    ]
)
NAMED = st.sampled_from(["x as (select 1 as i)", "recursive_x as (select ')' as p), y as (select 2)"])


@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lead=LEAD, opening=WITH, named=NAMED, body=BODY, count=st.integers(1, 2))
def test_any_statement_gets_its_ctes_where_dbt_puts_them(macro, lead, opening, named, body, count):
    rest = f"{named} {body}" if opening else body
    code = lead + opening + rest
    made = macro("_with_ctes")(code, CTES[:count])
    assert _bare(made) == _bare(_dbts_own(code, CTES[:count]))
    assert made.endswith(rest), "the statement itself stays as it is, to the letter"


@pytest.mark.parametrize(
    ("code", "rewritten"),
    [
        ("select 1", "select 1"),
        ("select 'config(x)' as config", "select 'config(x)' as config"),
        ("{{ config(materialized='table') }} select config(1)", "{{ dbt_selfheal_config_call(materialized='table') }} select config(1)"),
        ("{{config (a=1)}}", "{{dbt_selfheal_config_call (a=1)}}"),
        ("{{ config.get('x') }}", "{{ dbt_selfheal_config.get('x') }}"),
        ("{%- if config.require('x') -%}a{%- endif -%}", "{%- if dbt_selfheal_config.require('x') -%}a{%- endif -%}"),
        ("{% set c = config %}{{ c.get('x') }}", "{% set c = dbt_selfheal_config %}{{ c.get('x') }}"),
        ("{{ config(a=config.get('b')) }}", "{{ dbt_selfheal_config_call(a=dbt_selfheal_config.get('b')) }}"),
        ("{# config(x) #}{{ 1 }}", "{# config(x) #}{{ 1 }}"),
        ("{% raw %}{{ config(x) }}{% endraw %}", "{% raw %}{{ config(x) }}{% endraw %}"),
        ("{{ 'config(x)' }}{{ \"config.get\" }}", "{{ 'config(x)' }}{{ \"config.get\" }}"),
        ("{{ 'it\\'s config(x)' }}{{ config(x) }}", "{{ 'it\\'s config(x)' }}{{ dbt_selfheal_config_call(x) }}"),
        ("{{ my_config(x) }}{{ a.config(x) }}{{ configs(x) }}", "{{ my_config(x) }}{{ a.config(x) }}{{ configs(x) }}"),
        ("{{ f(config=1) }}{% set config = 2 %}", "{{ f(config=1) }}{% set config = 2 %}"),
        ("{{ config == 1 }}", "{{ dbt_selfheal_config == 1 }}"),
        ("{{ var.has_var('a') }}", "{{ dbt_selfheal_has_var('a') }}"),
        ("{{ var . has_var('a') }}{{ x.var.has_var('a') }}", "{{ dbt_selfheal_has_var('a') }}{{ x.var.has_var('a') }}"),
        ("{{ var('config') }}", "{{ var('config') }}"),
        ("{{ '}}' ~ config(x) }}", "{{ '}}' ~ dbt_selfheal_config_call(x) }}"),
        ("select '{' || \"}\" {{ config(x) }} '", "select '{' || \"}\" {{ dbt_selfheal_config_call(x) }} '"),
        ("it's {{ config(a=\"it's\") }} it's", "it's {{ dbt_selfheal_config_call(a=\"it's\") }} it's"),
        ("{{\n  config(\n    materialized='table'\n  )\n}}\nselect 1", "{{\n  dbt_selfheal_config_call(\n    materialized='table'\n  )\n}}\nselect 1"),
    ],
)  # fmt: skip
def test_config_and_has_var_are_rewritten_in_jinja_only(macro, code: str, rewritten: str):
    assert macro("_rewritten_code")(code) == rewritten
