{{ config(materialized='incremental', on_schema_change='sync_all_columns', unique_key='id', full_refresh=false) }}
select id, method from {{ ref('raw_payments') }}
