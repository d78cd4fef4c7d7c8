{#
  Verification: after building, the database itself, not dbt's cache, is asked whether the relations are there.
#}

{# Those of the entries whose relation the database does not have; the others' types are put into them as found_type.
   One query per schema, and one for each function (a function node of dbt 1.11, or what a table_function materialization makes): where it is not
   known how to look for those, they are taken to be there, as dbt takes them. #}
{% macro _absent(entries) %}
  {% set names, absent, asks, exact = {}, [], dbt_selfheal._traits().names, dbt_selfheal._traits().exact %}
  {% for entry in entries %}
    {% set node = entry.node %}
    {% set place = node.database ~ '.' ~ node.schema %}
    {% if entry.is_function %}
      {% set query = dbt_selfheal._traits().function_exists %}
      {% do entry.update({'found_type': 'function' if not query or dbt_selfheal._fetch(query, node, node.alias) else none}) %}
    {% else %}
      {% if place not in names and asks %}{% do names.update({place: dbt_selfheal._names_in_schema(node, not exact)}) %}{% endif %}
      {% set cached = adapter.get_relation(node.database, node.schema, node.alias) if not asks %}
      {% do entry.update({'found_type': names[place].get(node.alias if exact else node.alias | lower) if asks else cached and (cached.type or 'table')}) %}
    {% endif %}
    {% if not entry.found_type %}{% do absent.append(entry) %}{% endif %}
  {% endfor %}
  {% do return(absent) %}
{% endmacro %}
