{{ config(materialized='table') }}
{{ count_all(['doc_incremental', 'doc_relation_only', 'seed_documented']) }}
