select id, word as w from {{ ref('overrides', 'ovr_table') }}
