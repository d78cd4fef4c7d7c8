{{ config(materialized='external', location='lake/raw.json') }}
select 1 as id
