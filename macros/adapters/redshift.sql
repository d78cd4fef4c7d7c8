{# Amazon Redshift: nothing of PostgreSQL's, whose macros dbt takes where there are none of its own. #}

{% macro redshift___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{'transactions': 'dbt'})) %}
{% endmacro %}
