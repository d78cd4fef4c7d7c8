select id from {{ source('atlas_raw', 'atlas_events') }}
