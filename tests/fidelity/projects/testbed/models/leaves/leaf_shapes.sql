{{ config(materialized='table') }}
{{ count_all(['tbl_comment_first', 'tbl_with', 'vw_recursive', 'tbl_raw_and_percent', 'tbl_set_blocks', 'tbl_unicode', 'vw_trailing', 'tbl_types', 'tbl_run_function']) }}
