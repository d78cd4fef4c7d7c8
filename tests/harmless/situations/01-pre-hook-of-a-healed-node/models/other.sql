{{ config(materialized='table') }}
-- depends_on: {{ ref('raw') }}
select cast(cast('2024-01-01 00:00:00+00' as timestamp with time zone) as date) as day
