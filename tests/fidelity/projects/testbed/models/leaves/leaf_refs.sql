{{ config(materialized='table') }}
{{ count_all(['ref_forms', 'ref_in_loop', 'fin_public']) }}
