{% macro migration_20240101_backfill(from_day) %}
  {% do run_query('delete from ' ~ target.schema ~ '.leaf') %}
{% endmacro %}
{% macro rollback_2024(n) %}
  {% do run_query('delete from ' ~ target.schema ~ '.leaf') %}
{% endmacro %}
