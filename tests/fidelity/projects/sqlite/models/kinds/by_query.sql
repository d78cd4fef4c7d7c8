{{ config(materialized='table') }}
{% set found = run_query('select id from ' ~ ref('seed_integers') ~ ' order by id') %}
{% set columns = adapter.get_columns_in_relation(ref('seed_integers')) %}
{% for row in (found.rows if execute else []) %}
select {{ row[0] }} as id, '{{ columns | map(attribute='name') | join(' ') }}' as columns_found{{ ' union all' if not loop.last }}
{% endfor %}
