{{ config(materialized='incremental', on_schema_change='ignore', unique_key='id', full_refresh=false) }}
select id, method from {{ ref('raw_payments') }}
