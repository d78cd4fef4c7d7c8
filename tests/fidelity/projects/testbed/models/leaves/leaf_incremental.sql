{{ config(materialized='table') }}
{{ count_all(['inc_append', 'inc_delete_insert', 'inc_default', 'inc_key_list', 'inc_schema_ignore', 'inc_schema_fail', 'inc_schema_sync_all_columns', 'inc_self_columns']) }}
