{% macro union_sources(names) %}
  {% for name in names %}
    {% set wanted = source('landing', name) %}
    {% if adapter.get_relation(wanted.database, wanted.schema, wanted.identifier) %}
      select id from {{ wanted }} union all
    {% endif %}
  {% endfor %}
  select 0 as id
{% endmacro %}
