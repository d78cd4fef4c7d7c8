{#
  The shape of `initial_data` in the settings. Its values are never echoed: somebody may have put a secret there.
#}

{# Raise for a value of the setting `initial_data` that is not a list of {table, key, rows, password_columns}. #}
{% macro _check_initial_data_setting(value, origin) %}
  {% set name = 'vars.dbt_selfheal.initial_data' %}
  {% if value is string or value is mapping or value is not iterable %}
    {% do dbt_selfheal._raise_setting(name, 'must be a list of {table: ..., key: [...], rows: [...]}', origin) %}
  {% endif %}
  {% for entry in value %}
    {% do dbt_selfheal._check_initial_data_entry(entry, name ~ '[' ~ loop.index0 ~ ']', origin) %}
  {% endfor %}
{% endmacro %}


{% macro _check_initial_data_entry(entry, name, origin) %}
  {% set known = ['table', 'key', 'rows', 'password_columns'] %}
  {% if entry is not mapping %}
    {% do dbt_selfheal._raise_setting(name, 'must be a dictionary with ' ~ known | join(', '), origin) %}
  {% endif %}
  {% for key in entry if key not in known %}
    {% do dbt_selfheal._raise_setting(name ~ '.' ~ key, 'is not one of ' ~ known | join(', '), origin) %}
  {% endfor %}
  {% if entry.table is not string or not entry.table %}
    {% do dbt_selfheal._raise_setting(name ~ '.table', 'must be the name of a node, or of a table (name, schema.name)', origin) %}
  {% endif %}
  {% do dbt_selfheal._column_list(entry.get('key'), name ~ '.key', origin) %}
  {% if 'password_columns' in entry %}{% do dbt_selfheal._column_list(entry.password_columns, name ~ '.password_columns', origin) %}{% endif %}
  {% set rows = entry.get('rows') %}
  {% if rows is none or rows is string or rows is mapping or rows is not iterable or rows | reject('mapping') | list %}
    {% do dbt_selfheal._raise_setting(name ~ '.rows', 'must be a list of dictionaries {column: value}', origin) %}
  {% endif %}
  {% for row in rows %}
    {% for column, value in row.items() if value is mapping or (value is iterable and value is not string) %}
      {% do dbt_selfheal._raise_setting(name ~ '.rows[' ~ loop.index0 ~ '].' ~ column, 'must be a text, a number, true, false, a date or null', origin) %}
    {% endfor %}
  {% endfor %}
{% endmacro %}


{# A list of column names, given as a list or as one name; an error names the setting. #}
{% macro _column_list(value, name, origin) %}
  {% set columns = [value] if value is string else value %}
  {% if not columns or columns is mapping or columns is not iterable or columns | reject('string') | list %}
    {% do dbt_selfheal._raise_setting(name, 'must be a list of column names', origin) %}
  {% endif %}
  {% do return(columns | list) %}
{% endmacro %}
