{{ config(materialized='table') }}
{#- the graph as a model sees it, counted for this project and its two packages only -#}
{%- set counted = {} -%}
{%- if execute -%}
  {%- for node in graph.nodes.values() if node.package_name in ['testbed', 'atlas', 'borealis'] and node.resource_type in ('seed', 'snapshot', 'model') -%}
    {%- do counted.update({node.resource_type: counted.get(node.resource_type, 0) + 1}) -%}
  {%- endfor -%}
  {%- do counted.update({'source': graph.sources.values() | selectattr('package_name', 'equalto', 'testbed') | list | length}) -%}
  {%- do counted.update({'exposure': graph.exposures | length}) -%}
  {%- do counted.update({'materialized of ctx_vars': graph.nodes['model.testbed.ctx_vars'].config.materialized}) -%}
{%- endif -%}
{% for what, n in counted | dictsort %}
select '{{ what }}' as what, '{{ n }}' as n{{ ' union all' if not loop.last }}
{% else %}
select 'nothing' as what, '0' as n
{% endfor %}
-- depends_on: {{ ref('ctx_vars') }}
