{{ config(materialized='table') }}
select count(*) as n from {{ ref('eph_diamond') }}
union all
select count(*) from (select * from {{ ref('eph_diamond') }} where id > (select min(id) from {{ ref('eph_base') }})) as x
