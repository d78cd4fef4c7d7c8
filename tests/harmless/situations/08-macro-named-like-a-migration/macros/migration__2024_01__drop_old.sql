{% macro migration__2024_01__drop_old() %}
  {% do run_query('drop table ' ~ target.schema ~ '.old') %}
  {% do adapter.commit() %}
{% endmacro %}
