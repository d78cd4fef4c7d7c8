{{ config(materialized='table') }}
{{ count_all(['ctx_everything', 'ctx_graph']) }}
