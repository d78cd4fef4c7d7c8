{{ config(materialized='view') }}
select id from {{ ref('a_table') }} where id > 1
