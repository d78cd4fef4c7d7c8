{{ config(materialized='ephemeral') }}
-- begins with a comment
with one as (select * from {{ ref('eph_inner') }}) select id, zip from one
