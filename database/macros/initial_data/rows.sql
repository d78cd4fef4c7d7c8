{#
  The rows of one table of initial data: read, checked before anything is inserted, and compared with the table.
#}

{# Read and check a table's rows. Adds to the table: columns {name in lower case: column of the relation}, passwords: the names of
   those that hold passwords (those that are declared, and those that are named so, unless of a type that can hold none: a date, a
   time, true or false), and rows: list of {number, values: {column: value}, secrets: {column: variable}, waiting: variable that
   is not set, or none}. Names of columns are in lower case everywhere. #}
{% macro _prepare_rows(table, relation, given) %}
  {% set columns, rows = {}, [] %}
  {% for column in adapter.get_columns_in_relation(relation) %}{% do columns.update({column.name | lower: column}) %}{% endfor %}
  {% set prepared = dict(table, relation=relation, columns=columns, rows=rows) %}
  {% do prepared.update({'key': dbt_selfheal_database._known_columns(prepared, table.key, 'key'),
                         'passwords': dbt_selfheal_database._known_columns(prepared, table.password_columns, 'password_columns')}) %}
  {% for name, column in columns.items() if dbt_selfheal_database._is_password_name(column.name) and not modules.re.match('date|time|bool', column.dtype | lower) %}
    {% do prepared.passwords.append(name) %}
  {% endfor %}
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


{# One row, checked; a value env:NAME replaced by the variable's, the others as every driver takes them: dates as ISO text, whole
   decimals as integers, other decimals as text. number: from 1. #}
{% macro _initial_row(table, values, number) %}
  {% set row = {'number': number, 'values': {}, 'secrets': {}, 'waiting': none} %}
  {% for name, value in zip(dbt_selfheal_database._known_columns(table, values, 'row ' ~ number), values.values()) %}
    {% if name in row['values'] %}
      {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ number ~ ' names the column "' ~ name ~ '" twice.\nNothing was inserted.') %}
    {% elif value is string and value.startswith('env:') %}
      {% do dbt_selfheal_database._add_secret(table, row, name, value[4:].strip()) %}
    {% elif value is not none and name in table.passwords %}
      {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ number ~ ' has the password column "' ~ name ~ '" with a value written out. '
        ~ 'A password comes only as an Argon2id hash from the environment: write ' ~ name ~ ': env:NAME_OF_A_VARIABLE'
        ~ (' in vars.dbt_selfheal.initial_data, not in a seed file' if table.is_seed else '') ~ '.\nMake the hash with `dbt-selfheal hash-password`. Nothing was inserted. '
        ~ 'If the value was a real password, change it: it is in your files.') %}
    {% elif value is none or value is string or value is boolean or value is integer or value is float %}
      {% do row['values'].update({name: value}) %}
    {% elif value is number %}
      {% do row['values'].update({name: value | int if value == value | int else value | string}) %}
    {% else %}
      {% do row['values'].update({name: value.isoformat(' ') if value.hour is defined and value.isoformat is defined else value | string}) %}
    {% endif %}
  {% endfor %}
  {% do return(row) %}
{% endmacro %}


{# Those of a table's rows whose key the database does not have. Rows whose key waits for a variable count as absent. Keys are
   compared as the type of their column. Values are bound, so that none is logged. #}
{% macro _absent_rows(table) %}
  {% set absent, asked, bind, names, matches = [], [], dbt.get_binding_char(), ['row_number_'], [] %}
  {% set casts = dbt_selfheal_database._traits().casts_keys %}
  {% for column in table.key %}
    {% set there, name = table.columns[column], 'key_' ~ loop.index %}
    {% set type = dbt.type_string() if dbt_selfheal_database._column_kind(there) == 'text' else there.data_type %}
    {% do names.append(name) %}
    {% do matches.append('t.' ~ adapter.quote(there.name) ~ ' = ' ~ ('cast(v.' ~ name ~ ' as ' ~ type ~ ')' if casts else 'v.' ~ name)) %}
  {% endfor %}
  {% for row in table.rows %}
    {% if row.waiting and row.secrets.keys() | select('in', table.key) | list %}{% do absent.append(row) %}{% else %}{% do asked.append(row) %}{% endif %}
  {% endfor %}
  {% for chunk in dbt_selfheal_database._chunks(asked) %}
    {% set tuples, bindings, numbers = [], [], {} %}
    {% for row in chunk %}
      {% do tuples.append('(' ~ row.number ~ (', ' ~ bind) * table.key | length ~ ')') %}
      {% for column in table.key %}{% do bindings.append(row['values'][column]) %}{% endfor %}
    {% endfor %}
    {% set sql = 'with v (' ~ names | join(', ') ~ ') as (values ' ~ tuples | join(', ') ~ ') select v.row_number_ from v where not exists (select 1 from '
      ~ dbt_selfheal_database._bindable_sql(table.relation ~ ' t where ' ~ matches | join(' and ')) ~ ')' %}
    {% for found in adapter.add_query(sql, auto_begin=false, bindings=bindings, abridge_sql_log=true)[1].fetchall() %}{% do numbers.update({found[0] | int: true}) %}{% endfor %}
    {% do absent.extend(chunk | selectattr('number', 'in', numbers) | list) %}
  {% endfor %}
  {% do return(absent) %}
{% endmacro %}


{# SQL that goes along with bindings: a % of its own is doubled where % marks a binding. #}
{% macro _bindable_sql(sql) %}
  {% do return(sql.replace('%', '%%') if '%' in dbt.get_binding_char() else sql) %}
{% endmacro %}
