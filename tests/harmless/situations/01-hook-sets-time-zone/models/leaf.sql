{{ config(materialized='table') }}
select day from {{ ref('raw') }}
