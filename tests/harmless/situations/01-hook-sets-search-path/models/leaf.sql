{{ config(materialized='table') }}
select value from {{ ref('raw') }}
