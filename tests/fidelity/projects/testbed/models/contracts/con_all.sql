{{ config(materialized='table') }}
with a as (select * from {{ ref('eph_base') }}) select id, name, 'constant' as word, cast(1.5 as numeric(6, 2)) as amount, id * 2 as twice from a
