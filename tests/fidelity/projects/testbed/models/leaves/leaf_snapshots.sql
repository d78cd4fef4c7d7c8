{{ config(materialized='table') }}
{{ count_all(['snap_timestamp', 'snap_check', 'snap_check_all', 'snap_check_updated_at', ['atlas', 'atlas_snap']]) }}
