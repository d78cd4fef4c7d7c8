select count(*) as n from {{ ref('microbatch_events') }}
