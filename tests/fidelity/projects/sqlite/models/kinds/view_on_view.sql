select max(id) as id from {{ ref('a_view') }}
