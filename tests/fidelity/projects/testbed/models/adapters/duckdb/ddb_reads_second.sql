select * from {{ ref('ddb_second_view') }}
