{{ config(materialized='table') }}
{% set columns = adapter.get_columns_in_relation(ref('seed_column_types')) %}
select '{{ columns | map(attribute='name') | join(' ') }}' as columns_found, '{{ var('templated') }}' as templated,
  '{{ var('cli_word') }}' as cli, '{{ this.identifier }}' as me, a.version as first, b.version as latest
from {{ ref('versioned', v=1) }} a cross join {{ ref('versioned') }} b
