select id from {{ ref('raw') }} where id is null
