{{ config(materialized='table') }}
{{ count_all(['hk_incremental', 'hk_view']) }}
