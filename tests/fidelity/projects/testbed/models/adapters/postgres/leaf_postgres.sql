{{ config(materialized='table') }}
{%- set parents = ['pgs_granted_view', 'pgs_merge_exclude', 'pgs_on_matview', 'pgs_partitioned', 'pgs_identity', 'pgs_special_types'] -%}
{{ count_all(parents) }}
