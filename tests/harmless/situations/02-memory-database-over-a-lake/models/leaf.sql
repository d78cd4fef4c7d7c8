{{ config(materialized='external', location='lake/leaf.csv') }}
select id from {{ ref('raw') }}
