select {{ atlas.star(from=ref('int_pivot_view')) }} from {{ ref('int_pivot_view') }}
