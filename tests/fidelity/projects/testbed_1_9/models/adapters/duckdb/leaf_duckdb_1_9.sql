{{ config(materialized='table') }}
{{ count_all(['ddb_calls_table_function']) }}
