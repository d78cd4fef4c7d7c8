{{ config(materialized='ephemeral') }}
select id, name as l from {{ ref('eph_base') }} -- a comment ends this file
