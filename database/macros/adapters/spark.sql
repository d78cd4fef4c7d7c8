{#
  Spark. It has no transactions: what a migration's statements have done stays.
#}

{% macro spark___traits() %}
  {% do return(dict(dbt_selfheal_database.default___traits(), version='select version()')) %}
{% endmacro %}
