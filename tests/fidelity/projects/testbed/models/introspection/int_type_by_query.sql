{{ config(materialized='table') }}
{%- set columns = get_column_schema_from_query('select id, cast(amount_cents as numeric(9, 2)) as amount from ' ~ ref('raw_orders')) if execute else [] -%}
select '{% for column in columns %}{{ column.name }}={{ column.data_type }};{% endfor %}' as seen from {{ ref('raw_orders') }} limit 1
