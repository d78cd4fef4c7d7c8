{# Apache Spark: no transactions, and no statement that only one session can win. #}

{% macro spark___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'spark', 'names': {'macro': 'list_relations_without_caching', 'name': 1, 'type': 3}, 'seed_packages': ['dbt_spark']})) %}
{% endmacro %}
