{{ config(materialized='table', file_format='parquet') }}
select id, amount * 2 as twice, flag from {{ ref('seed_types') }}
