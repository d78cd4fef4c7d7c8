{{ config(materialized='incremental', unique_key='order_key') }}
select {{ dbt_utils.generate_surrogate_key(['order_id', 'method']) }} as order_key, order_id, customer_id, method, amount, ordered_on
from {{ ref('orders') }}
{% if is_incremental() %}where order_id > (select max(order_id) from {{ this }}){% endif %}
