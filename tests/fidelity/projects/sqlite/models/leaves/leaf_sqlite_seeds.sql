{{ config(materialized='table') }}
{{ count_all(['seed_iso', 'seed_column_types', 'seed_semicolon', 'seed_quoted', 'seed_empty', 'seed_awkward', 'seed_aliased', 'seed_hooked']) }}
