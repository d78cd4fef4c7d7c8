{{ config(materialized='table') }}
select value from lookup
