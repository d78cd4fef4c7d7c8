{{ config(materialized='table') }}
select * from {{ source('outside', 'loaded_outside') }}
