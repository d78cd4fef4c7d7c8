{{ config(materialized='table') }}
{{ count_all(['nam_exact_schema', 'nam_prefixed', 'nam_unicode', 'nam_long', 'nam_dots']) }}
