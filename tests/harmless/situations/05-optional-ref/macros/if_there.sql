{% macro if_there(name) %}
  {% set relation = load_relation(ref(name)) %}
  {% if relation %}select id from {{ relation }}{% else %}select 0 as id{% endif %}
{% endmacro %}
