select * from {{ source('seeded', 'seed_as_source_only') }} where id < 0
