{# BigQuery: no transactions over DDL, no locks; a seed's load job makes the table and its rows at once. Names are what they are, in upper and lower
   case; dbt lists them by the client's API, not by SQL. #}

{% macro bigquery___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'bigquery', 'any_case': false, 'names': {'macro': 'list_relations_without_caching', 'name': 'identifier', 'type': 'type'}})) %}
{% endmacro %}
