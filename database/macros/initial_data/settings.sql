{#
  The shape of `initial_data` in the settings. Its values are never echoed: somebody may have put a secret there.
#}

{# Raise for an entry that is not {table, key, rows, password_columns}. name: of the entry, such as `vars.dbt_selfheal.initial_data[0]`.
   (Looked at when it is used, since what is checked with every command makes every command slower.) #}
{% macro _check_initial_data_entry(entry, name) %}
  {% set known = ['table', 'key', 'rows', 'password_columns'] %}
  {% if entry is not mapping %}
    {% do dbt_selfheal._raise_setting(name, 'must be a dictionary with ' ~ known | join(', '), 'the settings') %}
  {% endif %}
  {% for key in entry if key not in known %}
    {% do dbt_selfheal._raise_setting(name ~ '.' ~ key, 'is not one of ' ~ known | join(', '), 'the settings') %}
  {% endfor %}
  {% if entry.table is not string or not entry.table %}
    {% do dbt_selfheal._raise_setting(name ~ '.table', 'must be the name of a node, or of a table (name, schema.name)', 'the settings') %}
  {% endif %}
  {% do dbt_selfheal_database._column_list(entry.get('key'), name ~ '.key', 'the settings') %}
  {% if 'password_columns' in entry %}{% do dbt_selfheal_database._column_list(entry.password_columns, name ~ '.password_columns', 'the settings') %}{% endif %}
  {% set rows = entry.get('rows') %}
  {% if rows is none or rows is string or rows is mapping or rows is not iterable or rows | reject('mapping') | list %}
    {% do dbt_selfheal._raise_setting(name ~ '.rows', 'must be a list of dictionaries {column: value}', 'the settings') %}
  {% endif %}
  {% for row in rows %}
    {% for column, value in row.items() if value is mapping or (value is iterable and value is not string) %}
      {% do dbt_selfheal._raise_setting(name ~ '.rows[' ~ loop.index0 ~ '].' ~ column, 'must be a text, a number, true, false, a date or null', 'the settings') %}
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
