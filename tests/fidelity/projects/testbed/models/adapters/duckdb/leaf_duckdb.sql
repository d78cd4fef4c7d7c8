{{ config(materialized='table') }}
{%- set parents = ['ddb_nested_types', 'ddb_second_incremental', 'ddb_external_parquet', 'ddb_external_empty'] -%}
{{ count_all(parents) }}
