{{ config(materialized='table') }}
{{ count_all(['tbl_on_ephemeral', 'tbl_with_on_ephemeral', 'vw_with_on_ephemeral', 'tbl_recursive_on_ephemeral', 'inc_on_ephemeral', 'tbl_same_ephemeral_in_two_refs']) }}
