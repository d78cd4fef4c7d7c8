{{ config(materialized='table') }}
{{ count_all(['a_view', 'partitioned', 'bucketed', 'inc_append', 'inc_overwrite', 'over_ephemerals', 'elsewhere', 'by_query', 'hooked', 'src_seed_reader', 'documented', 'gauge_model']) }}
