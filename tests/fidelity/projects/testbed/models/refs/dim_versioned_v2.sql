{{ config(materialized='table') }}
select which || ', then two' as which, id, 'x' as extra, '{{ model.version }} of {{ model.latest_version }}' as version from {{ ref('dim_versioned', v=1) }}
