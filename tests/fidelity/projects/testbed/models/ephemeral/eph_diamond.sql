{{ config(materialized='ephemeral') }}
select l.id, l.l, r.r from {{ ref('eph_left') }} as l join {{ ref('eph_right') }} as r on r.id = l.id
