{{ config(materialized='table') }}
{{ count_all(['seed_inferred_types', 'seed_column_types', 'seed_quoted_columns', 'seed_semicolon', 'seed_tab', 'seed_empty', 'seed_awkward', 'seed_bom', 'seed_hooked', 'seed_slow_loader', 'seed_aliased', 'seed_big']) }}
