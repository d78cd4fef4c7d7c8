{{ config(materialized='table') }}
{{ count_all(['view_on_view', 'an_incremental', 'an_appending_incremental', 'by_project', 'over_ephemerals', 'view_over_ephemerals', 'inc_over_ephemerals', 'by_query', 'by_context', 'gauge_model']) }}
