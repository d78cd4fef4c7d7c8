{{ config(materialized='table') }}with a as (select 1 as x), b as (select x + 1 as x from a) select * from a union all select * from b
