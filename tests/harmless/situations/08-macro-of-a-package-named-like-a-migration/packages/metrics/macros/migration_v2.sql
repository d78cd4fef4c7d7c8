{% macro migration_v2_1_upgrade() %}
  {% do run_query('drop table ' ~ target.schema ~ '.old') %}
  {% do adapter.commit() %}
{% endmacro %}
{% macro migrations_v2_list() %}{% do return([]) %}{% endmacro %}
