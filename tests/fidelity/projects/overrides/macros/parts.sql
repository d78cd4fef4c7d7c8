{# Parts of dbt's macros, replaced one by one. #}

{# dispatched by dbt: the root project's default__ comes before dbt's own #}
{% macro default__generate_schema_name(custom_schema_name, node) -%}
  {{ target.schema }}{{ '__' ~ (custom_schema_name | trim) if custom_schema_name else '' }}
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
  {{ custom_alias_name | trim if custom_alias_name else node.name | replace('ovr_', 'o_') }}
{%- endmacro %}

{% macro duckdb__alter_relation_comment(relation, comment) %}
  comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment('[' ~ var('layer') ~ '] ' ~ comment) }};
{% endmacro %}
{% macro postgres__alter_relation_comment(relation, comment) %}
  comment on {{ relation.type }} {{ relation }} is {{ postgres_escape_comment('[' ~ var('layer') ~ '] ' ~ comment) }};
{% endmacro %}

{# not dispatched: found by its name alone #}
{% macro is_incremental() %}{{ return('never') }}{% endmacro %}

{% macro default__get_batch_size() %}{{ return(2) }}{% endmacro %}
{% macro duckdb__get_batch_size() %}{{ return(2) }}{% endmacro %}

{# seeds get a column more #}
{% macro default__get_seed_column_quoted_csv(model, column_names) %}{{ return(column_names | join(', ')) }}{% endmacro %}
{% macro default__create_csv_table(model, agate_table) %}
  {%- set types = model['config'].get('column_types', {}) -%}
  {% set sql %}
    create table {{ this.render() }} (
      {%- for name in agate_table.column_names -%}
        {{ name }} {{ types.get(name, adapter.convert_type(agate_table, loop.index0)) }}{{ ', ' if not loop.last }}
      {%- endfor -%}
      , loaded_by varchar default 'own create_csv_table')
  {% endset %}
  {% call statement('_') %}{{ sql }}{% endcall %}
  {{ return(sql) }}
{% endmacro %}

{# time stands still, so check snapshots are the same in every build #}
{% macro duckdb__snapshot_get_time() %}cast('2020-02-02 02:02:02' as timestamp){% endmacro %}
{% macro default__snapshot_get_time() %}cast('2020-02-02 02:02:02' as timestamp){% endmacro %}
{% macro postgres__snapshot_get_time() %}cast('2020-02-02 02:02:02' as timestamp){% endmacro %}
{% macro postgres__current_timestamp() %}cast('2020-02-02 02:02:02' as timestamp){% endmacro %}

{# an incremental strategy and a snapshot strategy that dbt has not #}
{% macro get_incremental_own_sql(arg_dict) %}
  insert into {{ arg_dict['target_relation'] }} select * from {{ arg_dict['temp_relation'] }}
{% endmacro %}
{% macro snapshot_own_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
  {{ return(snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, model_config, target_exists)) }}
{% endmacro %}
