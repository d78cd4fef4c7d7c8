{{ config(materialized='ephemeral') }}
select code, {{ twist('code') }} as twisted, {{ var('atlas_rate') }} as rate from {{ ref('atlas_lookup') }}
