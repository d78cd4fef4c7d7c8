{{ config(materialized='table') }}
select e.id from {{ ref('events_by_id') }} e join {{ ref('stage') }} s on e.id = s.id
