{{ config(materialized='incremental', incremental_strategy='own') }}
select id, '{{ is_incremental() }}' as incremental from {{ ref('ovr_schema') }}
