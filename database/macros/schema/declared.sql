{#
  What the project declares of a relation.
#}

{# A node's relation as the project declares it, a dict:
     kind        table, view, or none where the materialization may be either
     columns     {name in lower case: {name, type or none, not_null, quote}}
     complete    whether the columns are all that it has (an enforced contract, a seed's header)
     strict      whether dbt makes it so (contract, column_types), so that another type is an error
     keys        list of {type, columns}, as of _catalog; checks are only counted
     indexes     list of {columns, unique, config}; one that is not over plain columns has none #}
{% macro _declared_relation(node) %}
  {% set enforced = node.resource_type == 'model' and node.config.contract.enforced and dbt_selfheal_database._enforces_contracts() %}
  {% set declared = {'kind': dbt_selfheal_database._declared_kind(node), 'columns': {}, 'complete': enforced, 'strict': enforced, 'keys': [], 'indexes': []} %}
  {% for column in node.columns.values() %}
    {% do declared.columns.update({column.name | lower: {'name': column.name, 'type': column.data_type, 'not_null': false, 'quote': column.quote}}) %}
  {% endfor %}
  {% if node.resource_type == 'seed' %}{% do dbt_selfheal_database._add_seed_header(node, declared) %}{% endif %}
  {% if enforced and declared.kind == 'table' %}{% do dbt_selfheal_database._add_constraints(node, declared) %}{% endif %}
  {% for index in (node.config.get('indexes') or []) if declared.kind == 'table' %}
    {% set config = index if index is mapping else index.to_dict() %}
    {% do declared.indexes.append({'columns': dbt_selfheal_database._plain_names(config['columns']), 'unique': config.get('unique', false), 'config': config}) %}
  {% endfor %}
  {% do return(declared) %}
{% endmacro %}


{# The names of an index's columns in lower case; none at all where one of them is more than a name. #}
{% macro _plain_names(columns) %}
  {% for text in columns if not modules.re.fullmatch('\\s*("(?:""|[^"])+"|[^\\W\\d][\\w$]*)\\s*', text) %}{% do return([]) %}{% endfor %}
  {% do return(dbt_selfheal_database._lower_names(columns | map('trim') | list | tojson)) %}
{% endmacro %}


{% macro _declared_kind(node) %}
  {% set kinds = {'view': 'view', 'table': 'table', 'incremental': 'table', 'seed': 'table', 'snapshot': 'table'} %}
  {% do return(kinds.get(node.config.materialized)) %}
{% endmacro %}


{# A seed's columns are those of its file's header, their types those of `column_types`. #}
{% macro _add_seed_header(node, declared) %}
  {% set types = node.config.column_types or {} %}
  {% set header = run_query('select 1 as x').from_csv(dbt_selfheal._seed_file(node), encoding='utf-8-sig', delimiter=node.config.delimiter, row_limit=0) %}
  {% set columns = {} %}
  {% for name in header.column_names %}
    {% do columns.update({name | lower: {'name': name, 'type': types.get(name) or declared.columns.get(name | lower, {}).get('type'), 'not_null': false,
                                         'quote': node.config.quote_columns}}) %}
  {% endfor %}
  {% do declared.update({'columns': columns, 'complete': true, 'strict': types | length > 0}) %}
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


{# Whether the adapter makes what a contract says. #}
{% macro _enforces_contracts() %}
  {% do return(adapter.dispatch('_enforces_contracts', 'dbt_selfheal_database')()) %}
{% endmacro %}

{% macro default___enforces_contracts() %}{% do return(true) %}{% endmacro %}
{% macro sqlite___enforces_contracts() %}{% do return(false) %}{% endmacro %}
