{{ config(materialized='table', event_time='event_at') }}
select id, event_at from {{ ref('events') }}
