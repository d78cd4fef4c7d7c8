{#
  What the database has: kinds, columns, keys and indexes, read from its own catalog (adapters/).
#}

{# The relations of some schemas: {'database.schema.name' in lower case: relation}, a relation being
     {kind: table or view, columns: {name in lower case: {name, type, nullable}},
      keys: [{type: primary_key, unique, foreign_key or check, columns}], indexes: [{name, columns, unique}]}
   with the names in keys and indexes in lower case; an index that is not over plain columns has none. places: {(database, schema): relation of the schema}. views: whether to
   read the columns of views. #}
{% macro _catalog(places, views=true) %}
  {% if not dbt_selfheal_database._traits().reads_catalog %}
    {% do dbt_selfheal._raise('schemas cannot be compared on ' ~ adapter.type() ~ ' (docs/schema.md says where they can).') %}
  {% endif %}
  {% set found = {} %}
  {% for place, schema in places.items() %}
    {% set prefix, nothing = dbt_selfheal_database._catalog_key(place[0], place[1], ''), {'columns': {}, 'keys': [], 'indexes': []} %}
    {% for name, kind in dbt_selfheal._names_in_schema(schema).items() %}
      {% do found.update({prefix ~ name | lower: {'kind': 'view' if 'view' in kind | lower else 'table', 'columns': {}, 'keys': [], 'indexes': []}}) %}
    {% endfor %}
    {% set rows = dbt_selfheal_database._read_catalog(place[0], place[1], views) %}
    {% for row in rows['columns'] %}
      {% do found.get(prefix ~ row[0] | lower, nothing)['columns'].update({row[1] | lower: {'name': row[1], 'type': row[2], 'nullable': row[3] | int == 1}}) %}
    {% endfor %}
    {% for row in rows['keys'] %}
      {% do found.get(prefix ~ row[0] | lower, nothing)['keys'].append({'type': row[1], 'columns': dbt_selfheal_database._lower_names(row[2])}) %}
    {% endfor %}
    {% for row in rows['indexes'] %}
      {% do found.get(prefix ~ row[0] | lower, nothing)['indexes'].append({'name': row[1], 'unique': row[2] | int == 1, 'columns': dbt_selfheal_database._lower_names(row[3] or '')}) %}
    {% endfor %}
  {% endfor %}
  {% do return(found) %}
{% endmacro %}


{% macro _catalog_key(database, schema, name) %}
  {% do return((database or '') | lower ~ '.' ~ schema | lower ~ '.' ~ name | lower) %}
{% endmacro %}


{# A list of names (which dbt hands over as JSON), or SQL with names between commas, in lower case and without quotes. #}
{% macro _lower_names(text) %}
  {% set names = fromjson(text) if text.startswith('[') else modules.re.findall('"(?:""|[^"])*"|[^\\s,"]+', text) %}
  {% do return(names | map('lower') | map('replace', '"', '') | list) %}
{% endmacro %}
