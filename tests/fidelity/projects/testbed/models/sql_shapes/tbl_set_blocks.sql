{{ config(materialized='table') }}
{#- names that a hook's context has, too -#}
{%- set sql %}select 'not this'{% endset -%}
{%- set schema = 'not_this' -%}{%- set database = 'nor_this' -%}{%- set model_name = model.name -%}
{%- set context = {} -%}{%- set node = 'x' -%}{%- set hooks = [] -%}{%- set plan = [1, 2, 3] -%}
{%- set ns = namespace(total=0) -%}
{%- for step in plan %}{% set ns.total = ns.total + step %}{% endfor -%}
{% set body %}
select {{ ns.total }} as total, {% call wrapped("'-tail'") %}'head'{% endcall %} as called, '{{ model_name }}' as model_name
{% endset %}
{{ body }}
{% for region in var('regions') %}union all select {{ loop.index }}, '{{ region }}', '{{ loop.last }}' {% endfor %}
