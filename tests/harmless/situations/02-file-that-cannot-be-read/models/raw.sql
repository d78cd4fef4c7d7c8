{{ config(materialized='external', location='lake/raw.parquet') }}
select 1 as id
