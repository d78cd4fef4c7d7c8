{{ config(materialized='table', schema='elsewhere') }}
select * from {{ ref('seed_integers') }}
