{{ config(materialized='table') }}
select 'ü' as "größe", 1 as "Upper", 2 as "order", 3 as "with space"
