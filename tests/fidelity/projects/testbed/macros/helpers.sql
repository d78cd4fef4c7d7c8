{# Macros that the models call: those that read or write the caller's configuration, and small things. #}
{% macro shared_name() %}from testbed{% endmacro %}

{% macro configured_key(key) %}{{ config.get(key, 'unset') }}{% endmacro %}
{% macro required_key(key) %}{{ config.require(key) }}{% endmacro %}
{% macro configure_as_table(alias) %}{{ config(materialized='table', alias=alias, tags=['by_macro']) }}{% endmacro %}

{% macro wrapped(column) %}upper({{ caller() }}) || {{ column }}{% endmacro %}

{% macro cents(column, scale=2) -%}
  cast(round({{ column }} / 100.0, {{ scale }}) as numeric(12, {{ scale }}))
{%- endmacro %}

{% macro column_values(relation, column) %}
  {%- call statement('column_values', fetch_result=true) -%}
    select distinct {{ column }} from {{ relation }} order by 1
  {%- endcall -%}
  {{ return(load_result('column_values')['data'] | map(attribute=0) | list if execute else []) }}
{% endmacro %}

{% macro star_except(relation, except) -%}
  {%- if execute -%}
    {%- for column in adapter.get_columns_in_relation(relation) if column.name | lower not in except -%}
      {{ adapter.quote(column.name) }}{{ ', ' if not loop.last }}
    {%- endfor -%}
  {%- else -%}*{%- endif -%}
{%- endmacro %}

{# atlas.twist asks for this one first #}
{% macro default__twist(x) %}{{ x }} || ' by testbed, {{ shared_name() }}'{% endmacro %}

{# a function that models call and that only on-run-start makes #}
{% macro create_run_function() %}
  {%- if target.type == 'duckdb' -%}
    create schema if not exists {{ target.schema }};
    create or replace macro {{ target.schema }}.plus_one(x) as x + 1
  {%- else -%}
    create schema if not exists {{ target.schema }};
    create or replace function {{ target.schema }}.plus_one(x integer) returns integer language sql immutable as 'select x + 1'
  {%- endif -%}
{% endmacro %}

{# names that another package might use for itself; calling one of these is a mistake #}
{% macro _settings() %}{{ exceptions.raise_compiler_error('the root project has a macro of that name, too') }}{% endmacro %}
{% macro _plan() %}{{ exceptions.raise_compiler_error('the root project has a macro of that name, too') }}{% endmacro %}
{% macro _build_node(node) %}{{ exceptions.raise_compiler_error('the root project has a macro of that name, too') }}{% endmacro %}
{% macro _emit(event) %}{{ exceptions.raise_compiler_error('the root project has a macro of that name, too') }}{% endmacro %}

{# run-operation #}
{% macro count_rows(relation_name) %}
  {% set found = run_query('select count(*) from ' ~ target.schema ~ '.' ~ relation_name) %}
  {{ log('rows: ' ~ found.columns[0].values()[0], info=true) }}
{% endmacro %}
