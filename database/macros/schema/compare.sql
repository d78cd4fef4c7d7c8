{#
  The comparison of one relation: a list of issues, each a dict {severity, code, unique_id, name, resource_type, relation,
  column, message, suggestion}. Severities:
    critical   commands that read the relation fail
    error      it is not what dbt would build
    warning    it differs from what is written down, or works more slowly
    info       worth knowing
#}

{# entry: of the plan; declared: of _declared_relation; found: of _catalog, or none; types: of _type_names. #}
{% macro _compare_relation(entry, declared, found, types) %}
  {% set issues, node = [], entry.node %}
  {% if found is none %}
    {% do issues.append(dbt_selfheal_database._issue(node, 'critical', 'missing_relation', none, 'it does not exist', "dbt run-operation ensure_initialized --args '{select: [" ~ node.name ~ "]}'")) %}
  {% elif declared.kind and declared.kind != found.kind %}
    {% do issues.append(dbt_selfheal_database._issue(node, 'error', 'wrong_kind', none, 'it is a ' ~ found.kind ~ ', and the project makes a ' ~ node.config.materialized)) %}
  {% else %}
    {% do dbt_selfheal_database._compare_columns(node, declared, found, types, issues) %}
    {% if declared.kind == 'table' %}
      {% do dbt_selfheal_database._compare_keys(node, declared, found, issues) %}
      {% do dbt_selfheal_database._compare_indexes(node, declared, found, issues) %}
    {% endif %}
  {% endif %}
  {% do return(issues) %}
{% endmacro %}


{# One issue. suggestion: the command that settles it; by default that which rebuilds the relation. #}
{% macro _issue(node, severity, code, column, message, suggestion=none) %}
  {% do return({'severity': severity, 'code': code, 'unique_id': node.unique_id, 'name': node.name, 'resource_type': node.resource_type | string,
    'relation': node.schema ~ '.' ~ node.alias, 'column': column, 'message': message, 'suggestion': suggestion or dbt_selfheal_database._rebuild_command(node)}) %}
{% endmacro %}


{# Missing and extra columns, types, nullability. #}
{% macro _compare_columns(node, declared, found, types, issues) %}
  {% set weight = 'error' if declared.strict else 'warning' %}
  {% for key, column in declared.columns.items() if found.columns %}
    {% set there = found.columns.get(key) %}
    {% if not there %}
      {% set repairable = column.type and found.kind == 'table' and node.resource_type != 'seed' and types.get(column.type) and not column.name.startswith('"') %}  {# quotes belong into `quote: true` #}
      {% do issues.append(dbt_selfheal_database._issue(node, 'error', 'missing_column', column.name, 'the column is not there',
        dbt_selfheal_database._repair_command_of_schema() if repairable else none)) %}
      {% do issues[-1].update({'data_type': column.type, 'quote': column.quote, 'repairable': true if repairable else false}) %}
    {% endif %}
    {% if column.type and types.get(column.type) is none %}
      {% do issues.append(dbt_selfheal_database._issue(node, 'error', 'unknown_type', column.name, 'its declared data_type ' ~ column.type ~ ' is not one that the database knows',
        'correct data_type in ' ~ (node.patch_path or 'dbt_project.yml').split('://') | last)) %}
    {% elif there and column.type and not dbt_selfheal_database._same_type(column.type, types[column.type], there.type) %}
      {% do issues.append(dbt_selfheal_database._issue(node, weight, 'wrong_type', column.name, 'its type is ' ~ there.type ~ ', and ' ~ column.type ~ ' is declared')) %}
    {% endif %}
    {% if there and column.not_null and there.nullable %}
      {% do issues.append(dbt_selfheal_database._issue(node, 'error', 'nullable', column.name, 'it takes nulls, and not_null is declared')) %}
    {% endif %}
  {% endfor %}
  {% for key, there in found.columns.items() if declared.complete and key not in declared.columns %}
    {% do issues.append(dbt_selfheal_database._issue(node, 'warning', 'extra_column', there.name, 'the column is not declared' ~ (' in the file' if node.resource_type == 'seed' else ''))) %}
  {% endfor %}
{% endmacro %}


{# Keys by kind and columns; checks by their number, as each database writes their expressions in its own way. #}
{% macro _compare_keys(node, declared, found, issues) %}
  {% set checks = declared['keys'] | selectattr('type', 'equalto', 'check') | list | length %}
  {% set checks_found = found['keys'] | selectattr('type', 'equalto', 'check') | list | length %}
  {% if checks_found < checks %}
    {% do issues.append(dbt_selfheal_database._issue(node, 'error', 'missing_key', none, 'it has ' ~ checks_found ~ ' check constraints, and ' ~ checks ~ ' are declared')) %}
  {% endif %}
  {% for key in declared['keys'] if key.type != 'check' and not dbt_selfheal_database._has_key(key, found['keys']) %}
    {% do issues.append(dbt_selfheal_database._issue(node, 'error', 'missing_key', none, 'it has no ' ~ key.type | replace('_', ' ') ~ ' (' ~ key['columns'] | join(', ') ~ '), which is declared')) %}
  {% endfor %}
  {% for key in found['keys'] if key.type != 'check' and declared.complete and node.resource_type != 'seed' and not dbt_selfheal_database._has_key(key, declared['keys']) %}
    {% do issues.append(dbt_selfheal_database._issue(node, 'info', 'extra_key', none, 'it has a ' ~ key.type | replace('_', ' ') ~ ' (' ~ key['columns'] | join(', ') ~ ') that is not declared')) %}
  {% endfor %}
{% endmacro %}


{# Whether a key is among others, whatever the order of its columns. #}
{% macro _has_key(key, others) %}
  {% for other in others if other.type == key.type and other['columns'] | sort == key['columns'] | sort %}{% do return(true) %}{% endfor %}
  {% do return(false) %}
{% endmacro %}


{# Indexes by their columns, in order, and whether they are unique: dbt gives them names that change. One over an expression
   or with an order of its own is not compared, and with such a one declared no index can be called surplus. #}
{% macro _compare_indexes(node, declared, found, issues) %}
  {% set unclear = declared.indexes | rejectattr('columns') | list %}
  {% for index in unclear %}
    {% do issues.append(dbt_selfheal_database._issue(node, 'info', 'index_not_compared', none, 'its declared index (' ~ index.config['columns'] | join(', ')
      ~ ') is not compared, as it is not over plain columns', 'look at the indexes of ' ~ node.schema ~ '.' ~ node.alias ~ ' in the database')) %}
  {% endfor %}
  {% for index in declared.indexes if index['columns'] %}
    {% set same = found.indexes | selectattr('columns', 'equalto', index['columns']) | selectattr('unique', 'equalto', index.unique) | list %}
    {% if not same %}
      {% do issues.append(dbt_selfheal_database._issue(node, 'warning', 'missing_index', none, 'it has no ' ~ ('unique ' if index.unique else '') ~ 'index ('
        ~ index['columns'] | join(', ') ~ '), which is declared', dbt_selfheal_database._repair_command_of_schema())) %}
      {% do issues[-1].update({'index': index.config, 'repairable': true}) %}
    {% endif %}
  {% endfor %}
  {% for index in found.indexes if not unclear %}
    {% set same = declared.indexes | selectattr('columns', 'equalto', index['columns']) | selectattr('unique', 'equalto', index.unique) | list %}
    {% if not same %}
      {% do issues.append(dbt_selfheal_database._issue(node, 'info', 'extra_index', none, 'it has the index ' ~ index.name ~ ' (' ~ (index['columns'] | join(', ') or 'not over plain columns')
        ~ ') that is not declared; dbt drops it when it rebuilds the table', 'declare it under config.indexes of ' ~ node.name)) %}
    {% endif %}
  {% endfor %}
{% endmacro %}


{# The command that rebuilds a node, which replaces what is there. #}
{% macro _rebuild_command(node) %}
  {% set name = node.name ~ ('.v' ~ node.version if node.version is defined and node.version is not none else '') %}
  {% if node.resource_type == 'snapshot' %}{% do return('alter it by hand or with a migration: a snapshot holds history that cannot be rebuilt') %}{% endif %}
  {% do return('dbt ' ~ ('seed' if node.resource_type == 'seed' else 'run') ~ (' --full-refresh' if node.config.materialized in ('seed', 'incremental') else '') ~ ' --select ' ~ name) %}
{% endmacro %}


{% macro _repair_command_of_schema() %}
  {% do return("dbt run-operation repair_schema --args '{apply: true}'") %}
{% endmacro %}
