{{ config(materialized='table', database='second', schema='marts', post_hook="comment on table {{ this }} is 'far away'") }}
select d.id, d.word, o.status from {{ source('second_database', 'drops') }} as d join {{ ref('raw_orders') }} as o on o.id = d.id + 9
