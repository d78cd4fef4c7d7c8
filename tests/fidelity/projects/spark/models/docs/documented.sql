{{ config(materialized='table', file_format='parquet') }}
select id from {{ ref('seed_documented') }}
