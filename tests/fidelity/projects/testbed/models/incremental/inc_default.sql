{{ config(materialized='incremental') }}
select id, amount_cents from {{ ref('raw_orders') }}
{%- if is_incremental() %} where ordered_at > (select max(ordered_at) from {{ this }}){% endif %}
