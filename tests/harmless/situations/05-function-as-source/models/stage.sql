{{ config(materialized='table') }}
select id from {{ source('landing', 'orders_of') }}(2024)
