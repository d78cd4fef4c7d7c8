{{ config(materialized='table') }}
select o.id from {{ source('landing', 'orders') }} o join {{ source('landing', 'refunds') }} r using (id)
