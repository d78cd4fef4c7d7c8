{{ config(materialized='table', file_format='orc', schema='elsewhere', alias='called_otherwise') }}
select * from {{ ref('seed_parquet') }}
