{#
  Redshift. dbt takes it for a kind of PostgreSQL, and would call PostgreSQL's macros: this file keeps it from doing so. It has no
  `do` blocks, and not the functions that PostgreSQL's catalog is read with. dbt begins its transactions.
#}

{% macro redshift___traits() %}
  {% do return(dict(dbt_selfheal_database.default___traits(), lowers_names=true, version='select version()')) %}
{% endmacro %}
