{{ config(materialized='table', schema='hidden') }}
select 1 as id
