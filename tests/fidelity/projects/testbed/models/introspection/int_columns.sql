{{ config(materialized='table') }}
{%- set columns = adapter.get_columns_in_relation(ref('tbl_types')) -%}
{% for column in columns %}
select '{{ column.name }}' as name, '{{ column.data_type }}' as type, '{{ column.is_string() }}' as is_string{{ ' union all' if not loop.last }}
{% else %}
select '' as name, '' as type, '' as is_string
{% endfor %}
-- depends_on: {{ ref('tbl_types') }}
