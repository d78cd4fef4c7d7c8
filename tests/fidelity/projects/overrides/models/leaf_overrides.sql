{{ config(materialized='table') }}
select (select count(*) from {{ ref('ovr_source') }}) as a, (select count(*) from {{ ref('ovr_versioned') }}) as b,
  (select count(*) from {{ ref('ovr_snap_check') }}) as c, (select count(*) from {{ ref('ovr_snap_own') }}) as d
