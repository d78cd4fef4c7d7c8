{# The form that dbt's documentation gives: relations without their database. #}
{% macro ref() %}
  {%- set version = kwargs.get('version') or kwargs.get('v') -%}
  {%- if (varargs | length) == 1 -%}
    {%- set found = builtins.ref(varargs[0], version=version) -%}
  {%- else -%}
    {%- set found = builtins.ref(varargs[0], varargs[1], version=version) -%}
  {%- endif -%}
  {{ return(found.include(database=false)) }}
{% endmacro %}

{% macro source(source_name, table_name) %}
  {{ return(builtins.source(source_name, table_name).include(database=false)) }}
{% endmacro %}
