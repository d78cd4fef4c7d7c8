{#
  What the project declares of a relation.
#}

{# A node's relation as the project declares it, a dict:
     kind        table, view, or none where the materialization may be either
     columns     {name in lower case: {name, type or none, not_null, quote}}; a seed's are those of its file's header, their types those of `column_types`
     complete    whether the columns are all that it has (an enforced contract, a seed's header)
     strict      whether dbt makes it so (contract, column_types), so that another type is an error
     keys        list of {type, columns}, as of _catalog; checks are only counted
     indexes     list of {columns, unique, config}; one that is not over plain columns has none #}
{% macro _declared_relation(node) %}
  {% set enforced = node.resource_type == 'model' and node.config.contract.enforced and dbt_selfheal_database._traits().enforces_contracts %}
  {% set kind = {'view': 'view', 'table': 'table', 'incremental': 'table', 'seed': 'table', 'snapshot': 'table'}.get(node.config.materialized) %}
  {% set declared = {'kind': kind, 'columns': {}, 'complete': enforced, 'strict': enforced, 'keys': [], 'indexes': []} %}
  {% for column in node.columns.values() %}
    {% do declared['columns'].update({column.name | lower: {'name': column.name, 'type': column.data_type, 'not_null': false, 'quote': column.quote}}) %}
  {% endfor %}
  {% if node.resource_type == 'seed' %}
    {% set types, columns = node.config.column_types or {}, {} %}
    {% set header = run_query('select 1 as x').from_csv(dbt_selfheal_database._seed_file(node), encoding='utf-8-sig', delimiter=node.config.delimiter, row_limit=0) %}
    {% for name in header.column_names %}
      {% do columns.update({name | lower: {'name': name, 'type': types.get(name) or declared['columns'].get(name | lower, {}).get('type'), 'not_null': false,
                                           'quote': node.config.quote_columns}}) %}
    {% endfor %}
    {% do declared.update({'columns': columns, 'complete': true, 'strict': types | length > 0}) %}
  {% endif %}
  {% if enforced and kind == 'table' %}{% do dbt_selfheal_database._add_constraints(node, declared) %}{% endif %}
  {% for index in (node.config.get('indexes') or []) if kind == 'table' %}
    {% set config, plain = index if index is mapping else index.to_dict(), [] %}
    {% for text in config['columns'] if modules.re.fullmatch('\\s*("(?:""|[^"])+"|[^\\W\\d][\\w$]*)\\s*', text) %}{% do plain.append(text | trim) %}{% endfor %}
    {% do declared.indexes.append({'unique': config.get('unique', false), 'config': config,
      'columns': dbt_selfheal_database._lower_names(plain | tojson) if plain | length == config['columns'] | length else []}) %}
  {% endfor %}
  {% do return(declared) %}
{% endmacro %}


{# Constraints, which dbt makes where a contract is enforced. #}
{% macro _add_constraints(node, declared) %}
  {% set found = [] %}
  {% for constraint in node.constraints %}{% do found.append((constraint, constraint['columns'] or [])) %}{% endfor %}
  {% for column in node.columns.values() %}
    {% for constraint in column.constraints %}{% do found.append((constraint, [column.name])) %}{% endfor %}
  {% endfor %}
  {% for constraint, columns in found %}
    {% if constraint.type == 'not_null' %}
      {% for name in columns if name | lower in declared.columns %}{% do declared.columns[name | lower].update({'not_null': true}) %}{% endfor %}
    {% elif constraint.type in ('primary_key', 'unique', 'foreign_key', 'check') %}
      {% do declared['keys'].append({'type': constraint.type.value, 'columns': columns | map('lower') | list}) %}
    {% endif %}
  {% endfor %}
{% endmacro %}


{# The path of a seed's file: under the project that it belongs to. #}
{% macro _seed_file(node) %}
  {% set project = adapter.config %}
  {% if node.package_name != project.project_name %}{% set project = project.dependencies[node.package_name] %}{% endif %}
  {% do return(project.project_root ~ '/' ~ node.original_file_path) %}
{% endmacro %}
