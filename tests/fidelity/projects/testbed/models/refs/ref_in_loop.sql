{{ config(materialized='table') }}
{%- set parents = {'raw_orders': 'status', 'raw_payments': 'method'} -%}
{% for parent, column in parents.items() %}
{%- set relation = ref(parent) %}
select '{{ relation.identifier }}' as parent, {{ column }} as word, count(*) as n from {{ relation }} group by 1, 2
{{ 'union all' if not loop.last }}
{% endfor %}
