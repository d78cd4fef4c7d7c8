{# Snowflake: each DDL statement commits by itself, and no lock outlives a transaction. Names are folded to upper case unless they are quoted, which
   dbt does where the project's `quoting` says so. #}

{% macro snowflake___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'snowflake', 'any_case': false, 'names': {'macro': 'list_relations_without_caching', 'name': 'name', 'type': 'kind'}, 'seed_packages': ['dbt_snowflake']})) %}
{% endmacro %}
