{% macro swap_is_due() %}
  {% do return(execute and run_query("select 1 from information_schema.tables where table_name = 'raw_next'").rows | length > 0) %}
{% endmacro %}
