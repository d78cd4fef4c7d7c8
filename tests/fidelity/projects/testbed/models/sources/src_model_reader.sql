{{ config(materialized='table') }}
select m.id, m.name, s.status from {{ source('modelled', 'made_by_model') }} as m
join {{ source('snapshotted', 'early_snapshot') }} as s on s.id = m.id + 9
