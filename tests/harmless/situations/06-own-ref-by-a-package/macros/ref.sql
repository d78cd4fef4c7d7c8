{% macro ref(model_name) %}
  {% do return(upstream.upstream_ref(model_name)) %}
{% endmacro %}
