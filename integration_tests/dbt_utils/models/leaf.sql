select 'starred' as name, count(*) as n from {{ ref('starred') }}
union all select 'movements', count(*) from {{ ref('movements') }}
union all select 'days', count(*) from {{ ref('days') }}
union all select 'pivoted', count(*) from {{ ref('pivoted') }}
