{% macro ref(model_name) %}
  {% do return('(select * from ' ~ builtins.ref(model_name) ~ ' order by id limit 2) as sampled') %}
{% endmacro %}
