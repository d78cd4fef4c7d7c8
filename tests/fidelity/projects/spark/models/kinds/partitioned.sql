{{ config(materialized='table', file_format='parquet', partition_by=['flag']) }}
select id, twice, flag from {{ ref('a_table') }}
