select count(*) as n from {{ ref('pgs_matview') }}
