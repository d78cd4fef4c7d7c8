{{ config(materialized='table') }}
select id, '{{ health_report() }}' as report, '{{ ensure_initialized() }}' as state from {{ ref('initial_data') }}
