{# Names of relations: all three of dbt's naming macros are the project's own. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- if custom_schema_name is none -%}
    {{ target.schema }}
  {%- elif node.config.get('meta', {}).get('exact_schema') -%}
    {{ custom_schema_name | trim }}
  {%- else -%}
    {{ target.schema }}_{{ custom_schema_name | trim }}
  {%- endif -%}
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
  {%- if custom_alias_name -%}
    {{ custom_alias_name | trim }}
  {%- elif node.config.get('meta', {}).get('prefix') -%}
    {{ node.config.meta.prefix }}_{{ node.name }}
  {%- elif node.version -%}
    {{ node.name }}_v{{ node.version | replace('.', '_') }}
  {%- else -%}
    {{ node.name }}
  {%- endif -%}
{%- endmacro %}

{% macro generate_database_name(custom_database_name=none, node=none) -%}
  {%- if custom_database_name is none or target.type != 'duckdb' -%}
    {{ target.database }}
  {%- else -%}
    {{ 'aux' if custom_database_name == 'second' else custom_database_name }}
  {%- endif -%}
{%- endmacro %}
