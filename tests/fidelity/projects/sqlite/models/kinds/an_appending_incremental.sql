{{ config(materialized='incremental') }}
select id, {{ 1 if is_incremental() else 0 }} as again from {{ ref('a_table') }}
