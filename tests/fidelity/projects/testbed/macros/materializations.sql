{# A materialization of the project itself, for both adapters by a default and for one by its own macro. #}
{% materialization stamped, default %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- set existing = load_relation(this) -%}
  {% if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif %}
  {% call statement('main') -%}
    create table {{ target_relation }} as
    select body.*, '{{ config.get("stamp", default="no stamp") }} {{ stamp_suffix() }}' as stamp from ({{ sql }}) as body
  {%- endcall %}
  {% do create_indexes(target_relation) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization by_adapter, default %}
  {% call statement('main') %}create table {{ this }} as select 'default' as made_by, body.* from ({{ sql }}) as body{% endcall %}
  {{ adapter.commit() }}
  {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{% materialization by_adapter, adapter='postgres' %}
  {% call statement('main') %}create table {{ this }} as select 'postgres' as made_by, body.* from ({{ sql }}) as body{% endcall %}
  {{ adapter.commit() }}
  {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{# leaves no relation: it only looks #}
{% materialization registers_only, default %}
  {% call statement('main') %}select 1 as looked from ({{ sql }}) as body{% endcall %}
  {{ return({'relations': []}) }}
{% endmaterialization %}

{# PostgreSQL: a table partitioned by hash #}
{% materialization partitioned, adapter='postgres' %}
  {%- set key = config.require('partition_key') -%}
  {%- set parts = config.get('partitions', default=2) -%}
  {{ run_hooks(pre_hooks) }}
  {% call statement('main') -%}
    drop table if exists {{ this }} cascade;
    create table {{ this }} (like {{ render(config.require('like_relation')) }}) partition by hash ({{ key }});
    {%- for part in range(parts) %}
    create table {{ this.schema }}.{{ this.identifier }}_{{ part }} partition of {{ this }}
      for values with (modulus {{ parts }}, remainder {{ part }});
    {%- endfor %}
    insert into {{ this }} {{ sql }}
  {%- endcall %}
  {{ run_hooks(post_hooks) }}
  {% do persist_docs(this.incorporate(type='table'), model) %}
  {{ adapter.commit() }}
  {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{% macro stamp_suffix() %}{{ return(adapter.dispatch('stamp_suffix')()) }}{% endmacro %}
{% macro default__stamp_suffix() %}of {{ model.name }}{% endmacro %}
{% macro duckdb__stamp_suffix() %}of {{ model.name }} on duckdb{% endmacro %}
