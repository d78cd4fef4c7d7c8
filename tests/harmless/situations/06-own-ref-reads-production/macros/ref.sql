{% macro ref(model_name) %}
  {% set relation = builtins.ref(model_name) %}
  {% if execute and target.schema != 'prod' %}
    {% for id in selected_resources if id.split('.')[2] == model_name %}{% do return(relation) %}{% endfor %}
    {% do return(relation.incorporate(path={'schema': 'prod'})) %}
  {% endif %}
  {% do return(relation) %}
{% endmacro %}
