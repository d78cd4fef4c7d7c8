{{ config(materialized='table') }}
{{ count_all(['fun_caller', 'fun_meta', 'con_quoted']) }}
