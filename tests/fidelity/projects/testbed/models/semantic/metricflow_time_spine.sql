{{ config(materialized='table') }}
select cast('2024-03-01' as date) as date_day
union all select cast('2024-03-02' as date)
