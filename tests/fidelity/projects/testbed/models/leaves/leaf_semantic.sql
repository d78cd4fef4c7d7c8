{{ config(materialized='table') }}
{{ count_all(['metricflow_time_spine', 'sem_orders']) }}
