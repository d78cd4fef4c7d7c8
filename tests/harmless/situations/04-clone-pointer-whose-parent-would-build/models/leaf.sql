{{ config(materialized='table') }}
select id from {{ ref('events_by_id') }}
