{{ config(materialized='table') }}
{% set found = run_query('select status, count(*) as n from ' ~ ref('raw_orders') ~ ' group by 1 order by 1') %}
select customer_id
{% if execute %}{% for row in found.rows %}
, count(case when status = '{{ row[0] }}' then 1 end) as {{ row['status'] }}_orders, {{ row[1] }} as {{ row.status }}_all
{% endfor %}{% endif %}
from {{ ref('raw_orders') }} group by customer_id
