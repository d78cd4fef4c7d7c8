{{ config(materialized='table') }} select cast(id as integer) as id, name from {{ ref('grown') }}
