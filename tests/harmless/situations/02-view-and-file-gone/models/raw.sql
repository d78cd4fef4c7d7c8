{{ config(materialized='external', location='lake/raw.csv') }}
select 1 as id
