{% macro hook_table() %}create table if not exists {{ target.schema }}.hooks_{{ this.identifier }} (what string) using parquet{% endmacro %}

{% macro log_hook(what) %}insert into {{ target.schema }}.hooks_{{ this.identifier }} values ('{{ what }}'){% endmacro %}

{% macro count_all(names) %}
  {%- for name in names %}
select '{{ name }}' as name, count(*) as n from {{ ref(name) }}{{ ' union all' if not loop.last }}
  {%- endfor %}
{% endmacro %}
