select code, '{{ var("borealis_unit") }}' as unit, '{{ shared_name() }}' as made_by from {{ ref('borealis_codes') }}
