{# Trino: no transactions over DDL in most of its connectors, no locks; names are in lower case. #}

{% macro trino___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'trino', 'names': {'macro': 'list_relations_without_caching', 'name': 'name', 'type': 'table_type'}})) %}
{% endmacro %}
