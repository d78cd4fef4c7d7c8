{# Amazon Redshift. It has transactions like PostgreSQL, whose macros dbt takes where Redshift has none of its own, but neither advisory locks nor
   a lock that outlives a transaction: nothing keeps two initializations apart. A view may be bound to what it reads or not (`bind: false`): none is taken to
   be, so that what is above an existing view is looked at. #}

{% macro redshift___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'redshift', 'transactions': 'dbt', 'names': {'macro': 'list_relations_without_caching', 'name': 'name', 'type': 'type'},
    'function_exists': 'select 1 from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = lower({schema}) and p.proname = lower({name}) limit 1'})) %}
{% endmacro %}
