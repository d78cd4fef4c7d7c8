{{ config(materialized='table') }}
select * from {{ ref('raw_customers') }} where 1 = 0
