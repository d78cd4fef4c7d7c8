{{ config(materialized='table') }}
with recursive steps as (
  select 1 as n
  union all
  select n + 1 from steps where n < (select count(*) from {{ ref('eph_base') }})
)
select n from steps
