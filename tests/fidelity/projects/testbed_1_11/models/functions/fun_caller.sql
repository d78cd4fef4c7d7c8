{{ config(materialized='table') }}
select id, {{ function('is_large') }}(cast(amount_cents as integer)) as is_large, {{ function('twice_if_large') }}(cast(amount_cents as integer)) as twice
from {{ ref('raw_orders') }}
