{{ config(materialized='table') }}
select r.id from {{ ref('raw') }} r join {{ ref('other') }} using (id)
