{{ config(materialized='table') }}
select count(*) as n from {{ source('own', 'made_by_seed') }}
