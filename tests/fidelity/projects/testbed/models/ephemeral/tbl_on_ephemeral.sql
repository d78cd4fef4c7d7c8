{{ config(materialized='table') }}
select * from {{ ref('eph_diamond') }}
