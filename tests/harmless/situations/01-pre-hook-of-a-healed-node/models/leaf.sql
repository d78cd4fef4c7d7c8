{{ config(materialized='table') }}
select r.day, o.day as other_day from {{ ref('raw') }} r, {{ ref('other') }} o
