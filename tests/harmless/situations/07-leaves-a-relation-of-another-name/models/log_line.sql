{{ config(materialized='archived') }}
select 1 as n
