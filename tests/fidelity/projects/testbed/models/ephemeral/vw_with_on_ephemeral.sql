WITH x AS (
  select * from {{ ref('eph_left') }}
)
select x.*, p.code from x cross join {{ ref('eph_from_package') }} as p
