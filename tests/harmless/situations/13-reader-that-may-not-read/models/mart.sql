{{ config(materialized='table', schema='mart', enabled=(target.user != 'postgres')) }}
select id from {{ ref('raw') }}
