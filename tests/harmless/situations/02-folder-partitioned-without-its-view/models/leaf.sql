{{ config(materialized='table') }}
select id, year from {{ ref('raw') }}
