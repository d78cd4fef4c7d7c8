{# Each node's hooks write into a table of their own, so that their order shows and other nodes' runs do not. #}
{% macro log_hook(what) %}
  {%- set log_table = adapter.quote(this.schema) ~ '.' ~ adapter.quote(('hooks_' ~ this.identifier)[:63]) -%}
  create table if not exists {{ log_table }} (seq integer, what varchar, node varchar, materialized varchar);
  insert into {{ log_table }}
  select coalesce(max(seq), 0) + 1, '{{ what }}', '{{ model.name }}', '{{ config.get("materialized") }}' from {{ log_table }}
{% endmacro %}

{% macro log_rows(what) %}
  {%- if execute -%}
    {%- set found = run_query('select count(*) from ' ~ this) -%}
    {{ log_hook(what ~ ': ' ~ found.columns[0].values()[0] ~ ' rows') }}
  {%- endif -%}
{% endmacro %}

{% macro hook_from_ref(relation) %}
  {{ log_hook('hook read ' ~ relation.identifier) }} having (select count(*) from {{ relation }}) >= 0
{% endmacro %}
