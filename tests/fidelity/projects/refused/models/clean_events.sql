select id, event_at from {{ ref('events') }}
