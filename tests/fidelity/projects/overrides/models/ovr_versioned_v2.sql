{{ config(materialized='table', alias='ovr_versioned_two') }}
select id from {{ ref('ovr_versioned', version=1) }}
