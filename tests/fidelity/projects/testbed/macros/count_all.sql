{# One row per parent; the leaves are made of it, so that building one leaf needs everything above. #}
{% macro count_all(parents) %}
  {%- for parent in parents %}
  {%- set relation = ref(parent) if parent is string else ref(parent[0], parent[1]) %}
  select '{{ parent if parent is string else parent | join(".") }}' as relation, count(*) as n from {{ relation }}{{ ' union all' if not loop.last }}
  {%- endfor %}
{% endmacro %}
