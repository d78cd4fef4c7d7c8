{#
  Values from the environment. They are bound or handed over beside the SQL, never part of it: dbt logs all SQL. A
  database may name a value in an error; where it does, such rows go a way on which it cannot.
#}

{# Take a value from the environment into a row, or note that the row waits for it. #}
{% macro _add_secret(table, row, column, variable) %}
  {% if table.is_seed %}
    {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ' takes "' ~ column ~ '" from the environment, which a seed file cannot: `dbt seed` would store the text.'
      ~ '\nMove the row to vars.dbt_selfheal.initial_data.') %}
  {% elif not variable or variable.startswith('DBT_ENV_SECRET_') %}
    {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ', column "' ~ column ~ '": env:' ~ variable ~ ' cannot be read. '
      ~ ('dbt hides variables that begin with DBT_ENV_SECRET_ from macros: name it otherwise.' if variable else 'Name a variable: env:NAME.')) %}
  {% endif %}
  {% if column in table.key and dbt_selfheal_database._column_kind(table.columns[column]) != 'text' %}
    {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ' takes the key column "' ~ column ~ '" of ' ~ table.title ~ ' from the environment, which is '
      ~ table.columns[column].dtype ~ ' and not text.\nA database would show such a value in an error. Nothing was inserted.') %}
  {% endif %}
  {% set value = dbt_selfheal_database._read_secret(variable) %}
  {% if value and column in table.passwords and not dbt_selfheal_database._is_password_hash(value) %}
    {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ', column "' ~ column ~ '": the environment variable ' ~ variable
      ~ ' does not hold an Argon2id hash of sufficient strength. A password is never stored as plain text.\nMake a hash with `dbt-selfheal hash-password` '
      ~ '(it asks for the password), and set ' ~ variable ~ ' to what it prints, in single quotes. Nothing was inserted.') %}
  {% endif %}
  {% do row['values'].update({column: value or none}) %}
  {% do row.secrets.update({column: variable}) %}
  {% if not value %}{% do row.update({'waiting': variable}) %}{% endif %}
{% endmacro %}


{# The value of an environment variable, '' when it is not set. dbt notes in the manifest what macros read. #}
{% macro _read_secret(variable) %}
  {% set noted = dbt_selfheal._manifest().env_vars %}
  {% set before = noted.get(variable) %}
  {% set value = env_var(variable, '') %}
  {% if before is none %}{% do noted.pop(variable, none) %}{% endif %}
  {% do return(value) %}
{% endmacro %}


{# Insert one row that has values from the environment, in the transaction that is open. #}
{% macro _insert_secret_row(table, row) %}
  {% do adapter.dispatch('_insert_secret_row', 'dbt_selfheal_database')(table, row) %}
{% endmacro %}

{% macro default___insert_secret_row(table, row) %}
  {% do dbt_selfheal._raise(table.origin ~ ': env: values are not supported on ' ~ adapter.type() ~ ': its errors might show them.') %}
{% endmacro %}

{# SQLite's errors name columns, never values. #}
{% macro sqlite___insert_secret_row(table, row) %}
  {% do adapter.add_query('select 1')[1].execute(dbt_selfheal_database._insert_sql(table, [row]), dbt_selfheal_database._row_bindings([row])) %}
{% endmacro %}

{# DuckDB's errors name the values of unique and foreign keys, and those that do not fit their column's type. #}
{% macro duckdb___insert_secret_row(table, row) %}
  {% set place = ' where database_name = ' ~ dbt_selfheal._literal(table.relation.database) ~ ' and schema_name = ' ~ dbt_selfheal._literal(table.relation.schema)
    ~ ' and table_name = ' ~ dbt_selfheal._literal(table.relation.identifier) %}
  {% set foreign = dbt_selfheal._fetch('select lower(unnest(constraint_column_names)) from duckdb_constraints()' ~ place ~ " and constraint_type = 'FOREIGN KEY'")
    | map(attribute=0) | list %}
  {% set unique = dbt_selfheal._fetch('select (select count(*) from duckdb_constraints()' ~ place ~ " and constraint_type in ('PRIMARY KEY', 'UNIQUE')) "
    ~ '+ (select count(*) from duckdb_indexes()' ~ place ~ ' and is_unique)')[0][0] %}
  {% for name in row.secrets if dbt_selfheal_database._column_kind(table.columns[name]) != 'text' or table.columns[name].name | lower in foreign %}
    {% do dbt_selfheal._raise(table.origin ~ ': a value from the environment can go into a text column only, and not into one of a foreign key; "' ~ name
      ~ '" of ' ~ table.title ~ ' is another.\nDuckDB would show the value in an error.') %}
  {% endfor %}
  {% do adapter.add_query('select 1')[1].execute(
    dbt_selfheal_database._insert_sql(table, [row]) ~ (' on conflict do nothing' if unique else ''), dbt_selfheal_database._row_bindings([row])) %}
{% endmacro %}

{# PostgreSQL's errors show the whole row. The values are handed over as settings of the transaction, and the block that
   uses them tells only the kind of error, the constraint and the column. #}
{% macro postgres___insert_secret_row(table, row) %}
  {% set handed, bindings, marks, arguments = [], [], [], [] %}
  {% for value in row['values'].values() %}
    {% do marks.append('null' if value is none else '%L') %}
    {% if value is not none %}
      {% set name = "'dbt_selfheal.value_" ~ loop.index ~ "'" %}
      {% do handed.append('set_config(' ~ name ~ ', %s, true)') %}
      {% do bindings.append(value | string) %}
      {% do arguments.append(', current_setting(' ~ name ~ ')') %}
    {% endif %}
  {% endfor %}
  {% do adapter.add_query('select 1')[1].execute('select ' ~ handed | join(', '), bindings) %}
  {% set insert = 'insert into ' ~ (table.relation | string).replace('%', '%%') ~ ' (' ~ dbt_selfheal_database._column_names(table, row).replace('%', '%%') ~ ') values ('
    ~ marks | join(', ') ~ ')' %}
  {% do adapter.add_query('do $selfheal$ declare c text; k text; begin execute format(' ~ dbt_selfheal._literal(insert) ~ arguments | join ~ ');\n'
    ~ 'exception when others then get stacked diagnostics c = column_name, k = constraint_name;\n'
    ~ 'raise exception using errcode = sqlstate, message = ' ~ dbt_selfheal._literal(table.origin ~ ': row ' ~ row.number ~ ' for ' ~ table.title
      ~ ' has values from the environment, and the database refused it (its own message might show them): SQLSTATE ')
    ~ " || sqlstate || case when k <> '' then ', constraint ' || k else '' end || case when c <> '' then ', column ' || c else '' end; end $selfheal$") %}
{% endmacro %}
