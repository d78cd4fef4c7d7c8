{{ config(materialized='view') }}
select order_id
{%- for method in column_values(ref('raw_payments'), 'method') %}
, sum(case when method = '{{ method }}' then cents else 0 end) as {{ method }}_cents
{%- endfor %}
from {{ ref('raw_payments') }} group by order_id
