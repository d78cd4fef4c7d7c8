{{ config(materialized='table') }}
select id, {{ scaled('id') }} as scaled, '{{ var('gauge_word') }}' as word, {{ shout("'gauge'") }} as shouted from {{ ref('gauge_seed') }}
