{{ config(materialized='table') }}
{{ count_all([['atlas', 'atlas_macros'], ['atlas', 'atlas_vars'], ['atlas', 'atlas_star'], ['atlas', 'atlas_hooked'], ['atlas', 'atlas_configured'], ['atlas', 'atlas_source_reader']]) }}
