select id from {{ ref('leaf') }} where id is null
