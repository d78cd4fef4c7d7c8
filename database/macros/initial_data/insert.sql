{#
  Inserting the missing rows of one table, in one transaction. Values are bound, never part of the SQL.
#}

{# Insert the rows that are ready. #}
{% macro _insert_rows(table) %}
  {% set groups = {} %}
  {% if table.ready %}{% do adapter.add_query(dbt_selfheal_database._traits().begin) %}{% endif %}
  {% for row in table.ready if not row.secrets %}{% do groups.setdefault(row['values'] | join('\n'), []).append(row) %}{% endfor %}
  {% for rows in groups.values() %}
    {% for chunk in dbt_selfheal_database._chunks(rows) %}
      {% do adapter.add_query(dbt_selfheal_database._insert_sql(table, chunk), bindings=dbt_selfheal_database._row_bindings(chunk), abridge_sql_log=true) %}
    {% endfor %}
  {% endfor %}
  {% for row in table.ready if row.secrets %}
    {% do dbt_selfheal_database._insert_secret_row(table, row) %}
    {% if dbt_selfheal_database._absent_rows(dict(table, rows=[row])) %}
      {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ' (' ~ dbt_selfheal_database._key_text(table, row) ~ ') was not inserted into ' ~ table.title
        ~ ': another row has the same value in a unique column.') %}
    {% endif %}
  {% endfor %}
  {% if table.ready %}{% do adapter.commit() %}{% endif %}
{% endmacro %}


{# Rows that have the same columns, in lists that one statement takes: some databases take 32,766 variables. #}
{% macro _chunks(rows) %}
  {% do return(rows | batch([[500, 32000 // ([rows[0]['values'] | length, 1] | max)] | min, 1] | max) | list if rows else []) %}
{% endmacro %}


{# The insert statement of rows that have the same columns. #}
{% macro _insert_sql(table, rows) %}
  {% set marks = '(' ~ ([dbt.get_binding_char()] * rows[0]['values'] | length) | join(', ') ~ ')' %}
  {% do return('insert into ' ~ dbt_selfheal_database._bindable_sql(table.relation | string ~ ' (' ~ dbt_selfheal_database._column_names(table, rows[0]) ~ ')') ~ ' values '
    ~ ([marks] * rows | length) | join(', ')) %}
{% endmacro %}


{# The columns of a row, quoted, in its order. #}
{% macro _column_names(table, row) %}
  {% set names = [] %}
  {% for name in row['values'] %}{% do names.append(adapter.quote(table.columns[name].name)) %}{% endfor %}
  {% do return(names | join(', ')) %}
{% endmacro %}


{# The values of rows, one after another. #}
{% macro _row_bindings(rows) %}
  {% set bindings = [] %}
  {% for row in rows %}{% do bindings.extend(row['values'].values()) %}{% endfor %}
  {% do return(bindings) %}
{% endmacro %}
