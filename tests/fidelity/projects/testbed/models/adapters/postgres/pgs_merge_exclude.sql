{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', merge_exclude_columns=['status']) }}
select id, status from {{ ref('pgs_incremental') }}
