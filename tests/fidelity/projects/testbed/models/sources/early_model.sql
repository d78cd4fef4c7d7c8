{{ config(materialized='table', tags=['early']) }}
select id, name from {{ ref('raw_customers') }}
