{{ config(materialized='table') }}
select o.id from {{ source('landing', 'orders') }} o join {{ ref('raw') }} r on r.id = o.id
