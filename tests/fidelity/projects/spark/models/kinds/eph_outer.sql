{{ config(materialized='ephemeral') }}
with one as (select * from {{ ref('eph_inner') }}) select id, zip from one
