{{ config(materialized='external', location='lake/mid.csv') }}
select id + 1 as id from {{ ref('raw') }}
