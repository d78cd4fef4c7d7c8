{#
  The rows of one table of initial data: read, checked before anything is inserted, and compared with the table.
#}

{# Read and check a table's rows. Adds to the table: columns {name in lower case: column of the relation}, passwords: the names of
   those that hold passwords, and rows: list of {number, values: {column: value}, secrets: {column: variable}, waiting: variable that
   is not set, or none}. Names of columns are in lower case everywhere. #}
{% macro _prepare_rows(table, relation, given) %}
  {% set columns, rows = {}, [] %}
  {% for column in adapter.get_columns_in_relation(relation) %}{% do columns.update({column.name | lower: column}) %}{% endfor %}
  {% set prepared = dict(table, relation=relation, columns=columns, rows=rows) %}
  {% do prepared.update({'key': dbt_selfheal_database._known_columns(prepared, table.key, 'key')}) %}
  {% do prepared.update({'passwords': dbt_selfheal_database._password_columns(prepared)}) %}
  {% for values in given %}{% do rows.append(dbt_selfheal_database._initial_row(prepared, values, loop.index)) %}{% endfor %}
  {% do dbt_selfheal_database._check_keys(prepared) %}
  {% do return(prepared) %}
{% endmacro %}


{# Column names in lower case; one that the table does not have is an error. place: what names it, such as `key`. #}
{% macro _known_columns(table, names, place) %}
  {% for name in names if name | lower not in table.columns %}
    {% do dbt_selfheal._raise(table.origin ~ ': the table ' ~ table.title ~ ' has no column "' ~ name ~ '" (named in ' ~ place ~ '). Its columns are: '
      ~ table.columns.values() | map(attribute='name') | join(', ') ~ '\nNothing was inserted.') %}
  {% endfor %}
  {% do return(names | map('lower') | list) %}
{% endmacro %}


{# The rows of a seed's file, with values as dbt's own reader reads them: list of dicts. #}
{% macro _seed_rows(node) %}
  {% set base, rows = dbt_selfheal._base_context(), [] %}
  {% do context.update({'dbt_selfheal_seed': dbt_selfheal._check_seed(node, dbt_selfheal._seed_reader())}) %}
  {% set file = dbt_selfheal._load_agate_table() %}
  {% do dbt_selfheal._restore_context(base) %}
  {% for row in file.rows %}{% do rows.append(dict(zip(file.column_names, row.values()))) %}{% endfor %}
  {% do return(rows) %}
{% endmacro %}


{# One row, checked; a value env:NAME replaced by the variable's. number: from 1. #}
{% macro _initial_row(table, values, number) %}
  {% set row = {'number': number, 'values': {}, 'secrets': {}, 'waiting': none} %}
  {% for name, value in zip(dbt_selfheal_database._known_columns(table, values, 'row ' ~ number), values.values()) %}
    {% if name in row['values'] %}
      {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ number ~ ' names the column "' ~ name ~ '" twice.\nNothing was inserted.') %}
    {% endif %}
    {% if value is string and value.startswith('env:') %}
      {% do dbt_selfheal_database._add_secret(table, row, name, value[4:].strip()) %}
    {% else %}
      {% if value is not none and name in table.passwords %}{% do dbt_selfheal_database._raise_plain_password(table, row, name) %}{% endif %}
      {% do row['values'].update({name: dbt_selfheal_database._bindable(value)}) %}
    {% endif %}
  {% endfor %}
  {% do return(row) %}
{% endmacro %}


{# A value as every driver takes it: dates as ISO text, whole decimals as integers, other decimals as text. #}
{% macro _bindable(value) %}
  {% if value is none or value is string or value is boolean or value is integer or value is float %}{% do return(value) %}{% endif %}
  {% if value is number %}{% do return(value | int if value == value | int else value | string) %}{% endif %}
  {% do return(value.isoformat(' ') if value.hour is defined and value.isoformat is defined else value | string) %}
{% endmacro %}


{# Those of a table's rows whose key the database does not have. Rows whose key waits for a variable count as absent. #}
{% macro _absent_rows(table) %}
  {% set absent, asked = [], [] %}
  {% for row in table.rows %}
    {% if row.waiting and row.secrets.keys() | select('in', table.key) | list %}{% do absent.append(row) %}{% else %}{% do asked.append(row) %}{% endif %}
  {% endfor %}
  {% for chunk in dbt_selfheal_database._chunks(asked) %}
    {% set numbers = dbt_selfheal_database._absent_numbers(table, chunk) %}
    {% do absent.extend(chunk | selectattr('number', 'in', numbers) | list) %}
  {% endfor %}
  {% do return(absent) %}
{% endmacro %}


{# The numbers of those rows of a chunk whose key is not in the table. Values are bound, so that none is logged. #}
{% macro _absent_numbers(table, chunk) %}
  {% set bind, bindings, tuples, matches, names = dbt.get_binding_char(), [], [], [], ['row_number_'] %}
  {% for column in table.key %}
    {% do names.append('key_' ~ loop.index) %}
    {% do matches.append('t.' ~ adapter.quote(table.columns[column].name) ~ ' = ' ~ dbt_selfheal_database._cast_key('v.key_' ~ loop.index, table.columns[column])) %}
  {% endfor %}
  {% for row in chunk %}
    {% do tuples.append('(' ~ row.number ~ (', ' ~ bind) * table.key | length ~ ')') %}
    {% for column in table.key %}{% do bindings.append(row['values'][column]) %}{% endfor %}
  {% endfor %}
  {% set sql = 'with v (' ~ names | join(', ') ~ ') as (values ' ~ tuples | join(', ') ~ ') select v.row_number_ from v where not exists (select 1 from '
    ~ dbt_selfheal_database._bindable_sql(table.relation | string) ~ ' t where ' ~ dbt_selfheal_database._bindable_sql(matches | join(' and ')) ~ ')' %}
  {% set numbers = {} %}
  {% for row in adapter.add_query(sql, auto_begin=false, bindings=bindings, abridge_sql_log=true)[1].fetchall() %}{% do numbers.update({row[0] | int: true}) %}{% endfor %}
  {% do return(numbers) %}
{% endmacro %}


{# SQL that goes along with bindings: a % of its own is doubled where % marks a binding. #}
{% macro _bindable_sql(sql) %}
  {% do return(sql.replace('%', '%%') if '%' in dbt.get_binding_char() else sql) %}
{% endmacro %}


{# A key's value, compared as the type of its column. #}
{% macro _cast_key(sql, column) %}
  {% do return(adapter.dispatch('_cast_key', 'dbt_selfheal_database')(sql, column)) %}
{% endmacro %}

{% macro default___cast_key(sql, column) %}
  {% do return('cast(' ~ sql ~ ' as ' ~ (dbt.type_string() if dbt_selfheal_database._column_kind(column) == 'text' else column.data_type) ~ ')') %}
{% endmacro %}

{# SQLite gives the bare value the affinity of the column that it is compared with. #}
{% macro sqlite___cast_key(sql, column) %}
  {% do return(sql) %}
{% endmacro %}
