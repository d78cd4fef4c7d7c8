{{ config(materialized='table') }}
{{ count_all(['src_seed_reader', 'src_model_reader', 'src_outside_reader']) }}
