{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['id', 'status'], merge_exclude_columns=['status'], on_schema_change='append_new_columns') }}
select id, status from {{ ref('ddb_merge') }}
