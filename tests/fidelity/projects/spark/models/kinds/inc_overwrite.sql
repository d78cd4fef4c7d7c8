{{ config(materialized='incremental', file_format='parquet', incremental_strategy='insert_overwrite', partition_by=['flag']) }}
select id, twice, flag from {{ ref('a_table') }}
