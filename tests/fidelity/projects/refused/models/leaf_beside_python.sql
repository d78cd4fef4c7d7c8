{# needs nothing that is refused #}
select count(*) as n from {{ ref('clean_events') }}
