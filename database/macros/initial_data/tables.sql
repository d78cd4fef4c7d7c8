{#
  Initial data: rows that must exist. Where they come from:
    seeds marked    meta: {selfheal: {load: insert_missing, key: [...]}}
    the setting     initial_data: [{table: ..., key: [...], rows: [...], password_columns: [...]}]
#}

{# The tables that have initial data: list of dicts {title, database, schema, identifier, node, key, origin,
   password_columns, rows (those of the setting)}. Next to free in a project without any. only: names of tables, all by default. #}
{% macro _initial_data_tables(settings, only=none) %}
  {% set tables = [] %}
  {% for node in dbt_selfheal_database._marked_seeds() %}
    {% do tables.append(dbt_selfheal_database._initial_data_table(node, {
      'is_seed': true, 'key': dbt_selfheal_database._column_list(node.config.meta.selfheal.get('key'), 'meta.selfheal.key of the seed ' ~ node.name, node.original_file_path),
      'origin': node.original_file_path, 'password_columns': [], 'rows': []})) %}
  {% endfor %}
  {% set tables, wanted = tables + dbt_selfheal_database._tables_of_settings(settings.initial_data), [] %}
  {% for table in tables if only is none or table.identifier in only or table.title in only %}{% do wanted.append(table) %}{% endfor %}
  {% do return(wanted) %}
{% endmacro %}


{# The tables of the setting `initial_data`; an error where an entry is not {table, key, rows, password_columns}. Its values are never
   echoed: somebody may have put a secret there. (Looked at when it is used, since what is checked with every command makes every
   command slower.) #}
{% macro _tables_of_settings(entries) %}
  {% set tables, known = [], ['table', 'key', 'rows', 'password_columns'] %}
  {% for entry in entries %}
    {% set origin = 'vars.dbt_selfheal.initial_data[' ~ loop.index0 ~ ']' %}
    {% if entry is not mapping %}
      {% do dbt_selfheal._raise(origin ~ ' must be a dictionary with ' ~ known | join(', '), 'the settings') %}
    {% endif %}
    {% for key in entry if key not in known %}
      {% do dbt_selfheal._raise(origin ~ '.' ~ key ~ ' is not one of ' ~ known | join(', '), 'the settings') %}
    {% endfor %}
    {% if entry.table is not string or not entry.table %}
      {% do dbt_selfheal._raise(origin ~ '.table' ~ ' must be the name of a node, or of a table (name, schema.name)', 'the settings') %}
    {% endif %}
    {% set key = dbt_selfheal_database._column_list(entry.get('key'), origin ~ '.key', 'the settings') %}
    {% set passwords = dbt_selfheal_database._column_list(entry.password_columns, origin ~ '.password_columns', 'the settings') if 'password_columns' in entry else [] %}
    {% set rows = entry.get('rows') %}
    {% if rows is none or rows is string or rows is mapping or rows is not iterable or rows | reject('mapping') | list %}
      {% do dbt_selfheal._raise(origin ~ '.rows' ~ ' must be a list of dictionaries {column: value}', 'the settings') %}
    {% endif %}
    {% for row in rows %}
      {% set number = loop.index0 %}
      {% for column, value in row.items() if value is mapping or (value is iterable and value is not string) %}
        {% do dbt_selfheal._raise(origin ~ '.rows[' ~ number ~ '].' ~ column ~ ' must be a text, a number, true, false, a date or null', 'the settings') %}
      {% endfor %}
    {% endfor %}
    {% do tables.append(dbt_selfheal_database._initial_data_table(dbt_selfheal_database._table_or_node(entry.table), {
      'is_seed': false, 'key': key, 'origin': origin, 'rows': rows, 'password_columns': passwords})) %}
  {% endfor %}
  {% do return(tables) %}
{% endmacro %}


{# A list of column names, given as a list or as one name; an error names the setting. #}
{% macro _column_list(value, name, origin) %}
  {% set columns = [value] if value is string else value %}
  {% if not columns or columns is mapping or columns is not iterable or columns | reject('string') | list %}
    {% do dbt_selfheal._raise(name ~ ' must be a list of column names', origin) %}
  {% endif %}
  {% do return(columns | list) %}
{% endmacro %}


{# The ids of the enabled seeds that have meta.selfheal, found by one search through the joined ids. #}
{% macro _marked_seed_ids() %}
  {% set nodes, ids = builtins.ref.manifest.nodes, [] %}
  {% for id in modules.re.findall('(?<![^\x00])seed[.][^\x00]*', nodes | join('\x00')) if 'selfheal' in nodes[id].config.meta %}{% do ids.append(id) %}{% endfor %}
  {% do return(ids) %}
{% endmacro %}


{# The enabled seeds that are marked insert_missing; any other mark is an error. #}
{% macro _marked_seeds() %}
  {% set nodes = dbt_selfheal._manifest().nodes %}
  {% set marked = [] %}
  {% for unique_id in dbt_selfheal_database._marked_seed_ids() %}
    {% set node = nodes[unique_id] %}
    {% set mark = node.config.meta.selfheal %}
    {% if mark is not mapping or mark.get('load') != 'insert_missing' %}
      {% do dbt_selfheal._raise('meta.selfheal of the seed ' ~ node.name ~ ' (' ~ node.original_file_path ~ ') must be {load: insert_missing, key: [columns]}, and is '
        ~ mark | tojson) %}
    {% endif %}
    {% do marked.append(node) %}
  {% endfor %}
  {% do return(marked) %}
{% endmacro %}


{# What the `table` of an entry means: a node of the project, else a dict with database, schema and identifier. #}
{% macro _table_or_node(table) %}
  {% set parts, project = table.split('.'), adapter.config.project_name %}
  {% set packages = [project] + (adapter.config.dependencies or {}) | list %}
  {% if parts | length == 1 or (parts | length == 2 and parts[0] in packages) %}
    {% set node = dbt_selfheal._manifest().resolve_ref(none, parts[-1], parts[0] if parts | length == 2 else none, none, project, project) %}
    {% if node and node.unique_id in dbt_selfheal._manifest().nodes %}{% do return(node) %}{% endif %}
  {% endif %}
  {% do return({
    'database': parts[-3] if parts | length > 2 else target.database, 'schema': parts[-2] if parts | length > 1 else target.schema, 'identifier': parts[-1]}) %}
{% endmacro %}


{# One table, as a dict. place: of _table_or_node. A table that dbt rebuilds from nothing would lose its rows. #}
{% macro _initial_data_table(place, fields) %}
  {% set node = place if place.unique_id is defined else none %}
  {% if node and not fields.is_seed and (node.resource_type == 'seed' or node.config.materialized in ('view', 'ephemeral', 'table')) %}
    {% do dbt_selfheal._raise(fields.origin ~ '.table is the ' ~ (node.config.materialized ~ ' ' if node.resource_type == 'model' else '') ~ node.resource_type ~ ' ' ~ node.name ~ ' (' ~ node.original_file_path ~ '), which dbt fills anew '
      ~ 'each time it runs it: rows put there would be lost.\nUse an incremental model, or a table made by a migration'
      ~ (', or put the rows into the file and mark the seed: meta: {selfheal: {load: insert_missing, key: [...]}}' if node.resource_type == 'seed' else '') ~ '.') %}
  {% endif %}
  {% do return(dict(fields, node=node, database=place.database, schema=place.schema, identifier=node.alias if node else place.identifier,
    title=place.schema ~ '.' ~ (node.alias if node else place.identifier))) %}
{% endmacro %}


{# The nodes that rows of the setting `initial_data` go into are required: {unique_id: reason}, for the plan. #}
{% macro _initial_data_required(entries) %}
  {% set required = {} %}
  {% for table in dbt_selfheal_database._tables_of_settings(entries) if table.node %}
    {% do required.update({table.node.unique_id: 'has initial data (' ~ table.origin ~ ')'}) %}
  {% endfor %}
  {% do return(required) %}
{% endmacro %}
