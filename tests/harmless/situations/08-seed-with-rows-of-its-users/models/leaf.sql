{{ config(materialized='table') }}
select id, name from {{ ref('initial_data') }}
