{{ config(materialized='table') }}
select id from {{ source('landing', 'orders') }}
