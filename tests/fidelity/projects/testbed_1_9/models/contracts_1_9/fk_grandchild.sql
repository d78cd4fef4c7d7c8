{{ config(materialized='incremental', unique_key='id') }}
select id, order_id from {{ ref('raw_payments') }}
