{{ config(materialized='table') }}
{{ count_all(['hk_reads_others', 'hk_counts_rows', 'hk_pre_makes_input', 'hk_compiled_code', 'hk_from_both']) }}
