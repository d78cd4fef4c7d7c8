-- depends_on: {{ ref('a_table') }}
select * from {{ source('own', 'made_by_model') }}
