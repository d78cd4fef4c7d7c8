{{ config(materialized='table') }}
select id, customer_id, amount_cents, cast(ordered_at as date) as ordered_on from {{ ref('raw_orders') }}
