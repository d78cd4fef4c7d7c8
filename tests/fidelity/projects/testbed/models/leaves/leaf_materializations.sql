{{ config(materialized='table') }}
{{ count_all(['mat_from_package', 'tbl_indexes']) }}
-- depends_on: {{ ref('mat_nothing') }}
