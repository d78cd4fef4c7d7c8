select a.id, "größe" from {{ ref('nam_aliased') }} a, {{ ref('nam_unicode') }} u
