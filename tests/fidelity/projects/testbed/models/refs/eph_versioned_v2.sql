{{ config(materialized='ephemeral') }}
select 'ephemeral two after ' || which as which from {{ ref('eph_versioned', v=1) }}
