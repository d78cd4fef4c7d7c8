{{ config(severity='warn') }}
select o.id from {{ ref('tst_tested') }} as o
left join {{ ref('snap_timestamp') }} as s on s.id = o.id
left join {{ ref('eph_diamond') }} as e on e.id = o.customer_id
where o.status = 'void'
