{# dbt-duckdb 1.11 has no scalar functions of its own (DuckDB knows macros, without types); a project can bring them #}
{% macro duckdb__scalar_function_sql(target_relation) %}
  create or replace function {{ target_relation.render() }}({{ model.arguments | map(attribute='name') | join(', ') }})
  as ({{ model.compiled_code }})
{% endmacro %}

{# PostgreSQL wants a whole statement where DuckDB wants an expression #}
{% macro postgres__scalar_function_body_sql() %}
  $$ select {{ model.compiled_code }} $$ language sql
{% endmacro %}
