{% set methods = dbt_utils.get_column_values(table=ref('orders'), column='method', order_by='method') %}
select customer_id
{%- for method in methods %},
  sum(case when method = '{{ method }}' then amount else 0 end) as {{ method }}_amount
{%- endfor %}
from {{ ref('keyed_orders') }}
group by customer_id
