{{ config(materialized='table') }}
-- depends_on: {{ ref('legacy') }}
select 1 as id
