{{ config(materialized='table') }}
select id, {{ scaled('id') }} as scaled, '{{ var('gauge_word') }}' as word from {{ ref('seed_types') }}
