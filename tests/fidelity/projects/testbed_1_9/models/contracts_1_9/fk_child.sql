{# the foreign key's ref() alone makes the edge #}
{{ config(materialized='table') }}
select id, customer_id from {{ ref('raw_orders') }}
