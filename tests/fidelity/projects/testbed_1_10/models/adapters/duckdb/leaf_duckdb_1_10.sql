{{ config(materialized='table') }}
{{ count_all(['ddb_merge_keys']) }}
