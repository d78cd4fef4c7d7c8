{% macro source(source_name, table_name) %}
  {% set relation = builtins.source(source_name, table_name) %}
  {% do return(relation.incorporate(path={'schema': 'prod_' ~ relation.schema})) %}
{% endmacro %}
