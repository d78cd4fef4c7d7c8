{{ config(materialized='table') }}
-- depends_on: {{ ref('log_line') }}
select count(*) as lines from archive.events
