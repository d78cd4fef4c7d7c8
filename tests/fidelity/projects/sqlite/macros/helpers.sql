{% macro log_hook(what) %}insert into main.hooks_{{ this.identifier }} values ('{{ what }}', '{{ this.identifier }}'){% endmacro %}

{% macro hook_table() %}create table if not exists main.hooks_{{ this.identifier }} (what text, relation text){% endmacro %}

{% macro shout(text) %}upper({{ text }}){% endmacro %}

{# in place of md5(), which SQLite has only with an extension #}
{% macro sqlite__snapshot_hash_arguments(args) %}
  {%- for arg in args %}coalesce(cast({{ arg }} as text), ''){{ " || '|' || " if not loop.last }}{% endfor -%}
{% endmacro %}

{% macro count_all(names) %}
  {%- for name in names %}
select '{{ name }}' as name, count(*) as n from {{ ref(name) }}{{ ' union all' if not loop.last }}
  {%- endfor %}
{% endmacro %}

{% materialization stamped, default %}
  {% set target_relation = this.incorporate(type='table') %}
  {% call statement('main') %}
    create table {{ target_relation }} as select *, '{{ config.require('stamp') }}' as stamp from ({{ sql }})
  {% endcall %}
  {% do adapter.commit() %}
  {% do return({'relations': [target_relation]}) %}
{% endmaterialization %}
