{{ config(materialized='table') }}
{{ count_all(['nam_elsewhere', 'nam_lookup', 'nam_reader']) }}
