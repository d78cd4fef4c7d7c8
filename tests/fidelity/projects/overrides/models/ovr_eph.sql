{{ config(materialized='ephemeral') }}
select id from {{ ref('ovr_incremental') }}
