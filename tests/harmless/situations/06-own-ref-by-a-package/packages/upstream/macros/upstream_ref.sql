{% macro upstream_ref(name) %}
  {% set relation = builtins.ref(name) %}
  {% if execute and not load_relation(relation) %}
    {% set production = relation.incorporate(path={'schema': 'prod'}) %}
    {% if load_relation(production) %}{% do return(load_relation(production)) %}{% endif %}
  {% endif %}
  {% do return(relation) %}
{% endmacro %}
