{# unqualified, the root project's model of that name comes before the package's own #}
select id, package from {{ ref('same_name') }}
union all
select id, package from {{ ref('atlas', 'same_name') }}
