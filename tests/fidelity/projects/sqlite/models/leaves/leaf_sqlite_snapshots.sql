{{ config(materialized='table') }}
{{ count_all(['snap_timestamp', 'snap_check']) }}
