{#
  Values from the environment. They are bound or handed over beside the SQL, never part of it: dbt logs all SQL. A
  database may name a value in an error; where it does, such rows go a way on which it cannot.
#}

{# Take a value from the environment into a row, or note that the row waits for it. (dbt notes in the manifest what variables macros
   read: this one it shall forget.) #}
{% macro _add_secret(table, row, column, variable) %}
  {% if table.is_seed %}
    {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ' takes "' ~ column ~ '" from the environment, which a seed file cannot: `dbt seed` would store the text.'
      ~ '\nMove the row to vars.dbt_selfheal.initial_data.') %}
  {% elif not variable or variable.startswith('DBT_ENV_SECRET_') %}
    {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ', column "' ~ column ~ '": env:' ~ variable ~ ' cannot be read. '
      ~ ('dbt hides variables that begin with DBT_ENV_SECRET_ from macros: name it otherwise.' if variable else 'Name a variable: env:NAME.')) %}
  {% endif %}
  {% if not dbt_selfheal_database._traits().hides_values %}
    {% do dbt_selfheal._raise(table.origin ~ ': env: values are not supported on ' ~ adapter.type() ~ ': its errors might show them.') %}
  {% endif %}
  {% if column in table.key and dbt_selfheal_database._column_kind(table.columns[column]) != 'text' %}
    {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ' takes the key column "' ~ column ~ '" of ' ~ table.title ~ ' from the environment, which is '
      ~ table.columns[column].dtype ~ ' and not text.\nA database would show such a value in an error. Nothing was inserted.') %}
  {% endif %}
  {% set noted = dbt_selfheal._manifest().env_vars %}
  {% set before, value = noted.get(variable), env_var(variable, '') %}
  {% if before is none %}{% do noted.pop(variable, none) %}{% endif %}
  {% if value and column in table.passwords and not dbt_selfheal_database._is_password_hash(value) %}
    {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ', column "' ~ column ~ '": the environment variable ' ~ variable
      ~ ' does not hold an Argon2id hash of sufficient strength. A password is never stored as plain text.\nMake a hash with `dbt-selfheal hash-password` '
      ~ '(it asks for the password), and set ' ~ variable ~ ' to what it prints, in single quotes. Nothing was inserted.') %}
  {% endif %}
  {% do row['values'].update({column: value or none}) %}
  {% do row.secrets.update({column: variable}) %}
  {% if not value %}{% do row.update({'waiting': variable}) %}{% endif %}
{% endmacro %}
