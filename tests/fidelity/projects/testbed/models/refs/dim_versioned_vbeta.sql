{{ config(materialized='table') }}
select which || ', then beta' as which, id, 'y' as extra, '{{ this.identifier }}' as version from {{ ref('dim_versioned') }}
