select id from {{ ref('mid') }} where id is null
