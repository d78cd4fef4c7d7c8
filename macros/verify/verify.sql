{#
  Verification: after building, the database itself, not dbt's cache, is asked whether the relations are there (FR-009).
#}

{# The step verify: every relation built must be in the database. A node that ran without an error and left no
   relation (a materialization that only registers something, a hook that drops the table again) is reported, and
   is an error only when the project declares it required. Returns the entries that left nothing. #}
{% macro _verify_built(entries, declared) %}
  {% set step = dbt_selfheal._step_started('verify') %}
  {% set absent = dbt_selfheal._absent(entries) %}
  {% set names = absent | selectattr('unique_id', 'in', declared) | map(attribute='node') | map(attribute='name') | join(', ') %}
  {% if names %}
    {% do dbt_selfheal._raise('declared required and built without an error, and yet not in the database: ' ~ names
      ~ '\nLook for a hook, or another process, that drops them, or take them off vars.dbt_selfheal.required.') %}
  {% endif %}
  {% for entry in absent %}
    {% do dbt_selfheal._line('Self-healing: ' ~ entry.node.name ~ ' was run and left no relation; that counts as done') %}
  {% endfor %}
  {% do dbt_selfheal._step_complete(step) %}
  {% do return(absent) %}
{% endmacro %}


{# Those of the entries whose relation the database does not have; the others' types are put into them as found_type.
   One query per schema. #}
{% macro _absent(entries) %}
  {% set names, absent = {}, [] %}
  {% for entry in entries if entry.is_function and not dbt_selfheal._function_exists(entry.node) %}{% do absent.append(entry) %}{% endfor %}
  {% for entry in entries if not entry.is_function %}
    {% set node = entry.node %}
    {% set key = node.database ~ '.' ~ node.schema %}
    {% if key not in names %}
      {% do names.update({key: dbt_selfheal._names_in_schema(api.Relation.create_from(adapter.config, node).without_identifier())}) %}
    {% endif %}
    {% do entry.update({'found_type': names[key].get(node.alias | lower)}) %}
    {% if not entry.found_type %}{% do absent.append(entry) %}{% endif %}
  {% endfor %}
  {% do return(absent) %}
{% endmacro %}


{# The relations of a schema, asked from the database: a dict of type by name, names in lower case. #}
{% macro _names_in_schema(schema_relation) %}
  {% do return(adapter.dispatch('_names_in_schema', 'dbt_selfheal')(schema_relation)) %}
{% endmacro %}

{# The adapter's own catalog query: its columns are database, name, schema, type. #}
{% macro default___names_in_schema(schema_relation) %}
  {% set names = {} %}
  {% for row in list_relations_without_caching(schema_relation) %}{% do names.update({row[1] | lower: row[3]}) %}{% endfor %}
  {% do return(names) %}
{% endmacro %}
