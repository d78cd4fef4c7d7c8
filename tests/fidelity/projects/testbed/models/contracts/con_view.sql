{{ config(materialized='view') }}
select id, status from {{ ref('con_child') }}
