{# Amazon Athena: no transactions, no locks; names are in lower case. dbt lists them by Glue's API, or in other data catalogs by SQL. #}

{% macro athena___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'athena', 'names': {'macro': 'list_relations_without_caching', 'name': 'identifier', 'type': 'type'}})) %}
{% endmacro %}
