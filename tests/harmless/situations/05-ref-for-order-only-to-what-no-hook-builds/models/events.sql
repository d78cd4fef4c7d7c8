{{ config(materialized='table', event_time='happened_at') }}
select 1 as id, cast('2024-01-01' as timestamp) as happened_at
