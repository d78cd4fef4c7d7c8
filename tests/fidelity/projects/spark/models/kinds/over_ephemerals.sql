{{ config(materialized='table', file_format='parquet') }}
-- begins with a comment
with n as (select 1 as i) select o.*, e.id as other, n.i from {{ ref('eph_outer') }} o cross join {{ ref('eph_inner') }} e cross join n
