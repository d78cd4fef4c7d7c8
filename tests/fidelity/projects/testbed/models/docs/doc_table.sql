{{ config(materialized='table') }}
select id, name, 1 as {{ adapter.quote('Has Space') }}, 2 as undocumented from {{ ref('raw_customers') }}
