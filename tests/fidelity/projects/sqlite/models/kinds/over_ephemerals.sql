{{ config(materialized='table') }}
/* with */ with recursive n as (select 1 as i union all select i + 1 from n where i < 3)
select o.*, e.id as other, n.i from {{ ref('eph_outer') }} o, {{ ref('eph_inner') }} e, n
