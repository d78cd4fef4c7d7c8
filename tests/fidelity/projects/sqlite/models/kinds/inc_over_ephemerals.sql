{{ config(materialized='incremental') }}
select zip from {{ ref('eph_outer') }}
