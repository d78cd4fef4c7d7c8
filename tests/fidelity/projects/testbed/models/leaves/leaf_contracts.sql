{{ config(materialized='table') }}
{{ count_all(['con_view', 'con_all', 'con_incremental']) }}
