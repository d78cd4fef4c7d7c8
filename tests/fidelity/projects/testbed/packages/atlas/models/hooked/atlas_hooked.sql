select * from {{ ref('atlas_eph') }}
