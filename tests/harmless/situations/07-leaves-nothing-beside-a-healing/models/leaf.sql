{{ config(materialized='table') }}
-- depends_on: {{ ref('notify') }}
select id from {{ ref('raw') }}
