{{ config(materialized='table') }}
select id, {{ target.schema }}.plus_one(cast(id as integer)) as next_id from {{ ref('raw_orders') }}
