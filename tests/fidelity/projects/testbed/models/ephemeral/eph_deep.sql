{{ config(materialized='ephemeral', alias='eph_under_another_name') }}
{#- looks at a real relation while it is compiled, and at ephemerals below -#}
select d.id, d.l, '{{ column_values(ref("raw_orders"), "status") | join("+") }}' as states
from {{ ref('eph_diamond') }} as d join {{ ref('eph_base') }} as b on b.id = d.id
