{% macro log_run() %}
  {% if execute %}
    {% do run_query('create table if not exists ' ~ target.schema ~ '.audit (n integer)') %}
    {% do run_query('insert into ' ~ target.schema ~ '.audit values (1)') %}
    {% do adapter.commit() if target.type == 'postgres' %}
  {% endif %}
{% endmacro %}
