{{ config(materialized='table') }}
select s.id, s.word, o.status from {{ source('seeded', 'seed_as_source_only') }} as s
left join {{ source('seeded', 'orders_by_source') }} as o on o.id = s.id + 9
