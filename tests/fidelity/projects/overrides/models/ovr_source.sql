{{ config(materialized='table') }}
select s.id, '{{ source("raw", "things") }}' as rendered from {{ source('raw', 'things') }} as s join {{ ref('ovr_versioned', v=1) }} as v on v.id = s.id
