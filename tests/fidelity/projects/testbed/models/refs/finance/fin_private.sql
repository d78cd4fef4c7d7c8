{{ config(materialized='table') }}
select id, {{ cents('amount_cents') }} as amount from {{ ref('raw_orders') }}
