{{ config(materialized='table') }}
select id from lake.main.events
