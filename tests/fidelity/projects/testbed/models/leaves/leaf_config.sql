{{ config(materialized='table') }}
{{ count_all(['tbl_config_get', 'tbl_config_by_macro', 'tbl_config_twice', 'tbl_config_from_yaml', 'prj_nested', 'prj_header']) }}
