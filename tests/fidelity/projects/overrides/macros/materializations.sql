{# dbt's own table and view, replaced for both adapters; every relation made by them says so in its comment. #}
{% macro own_table() %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% do adapter.drop_relation(target_relation) %}
  {% call statement('main') -%}
    {{ get_create_table_as_sql(False, target_relation, sql) }}
  {%- endcall %}
  {% do create_indexes(target_relation) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ return({'relations': [target_relation]}) }}
{% endmacro %}

{% materialization table, adapter='duckdb' %}{{ return(own_table()) }}{% endmaterialization %}
{% materialization table, adapter='postgres' %}{{ return(own_table()) }}{% endmaterialization %}

{# "view", but a table with a word more: nobody can take it for dbt's own #}
{% materialization view, default %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {% do adapter.drop_relation(target_relation) %}
  {% call statement('main') -%}
    create table {{ target_relation }} as select body.*, 'a view that is a table' as word from ({{ sql }}) as body
  {%- endcall %}
  {{ run_hooks(post_hooks) }}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
