{# ClickHouse: no transactions, no locks; names are what they are, in upper and lower case. #}

{% macro clickhouse___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'clickhouse', 'any_case': false, 'names': {'macro': 'list_relations_without_caching', 'name': 'name', 'type': 'type'}, 'seed_packages': ['dbt_clickhouse']})) %}
{% endmacro %}
