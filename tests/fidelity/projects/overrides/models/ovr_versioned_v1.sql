{{ config(materialized='table', alias='ovr_versioned_one') }}
select id from {{ ref('ovr_eph') }}
