{{ config(materialized='table', file_format='parquet', clustered_by=['id'], buckets=2) }}
select id, twice from {{ ref('a_table') }}
