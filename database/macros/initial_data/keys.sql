{#
  The key of each row of initial data: whole, of its column's kind, and no two the same.
#}

{# Bring the keys of a table's rows to their columns' kinds, so that 1, 1.0 and "1" are one number (none if it waits for a
   variable), and raise unless each is whole and no two are the same. The database casts the text of a number by itself. An error
   does not repeat the value: it may be a secret that strayed there. #}
{% macro _check_keys(table) %}
  {% set seen, kinds, fix = {}, {}, '\nNothing was inserted. Correct ' ~ table.origin ~ '.' %}
  {% for column in table.key %}{% do kinds.update({column: dbt_selfheal_database._column_kind(table.columns[column])}) %}{% endfor %}
  {% for row in table.rows %}
    {% for column in table.key if row['values'].get(column) is none and column not in row.secrets %}
      {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ' has no value in the key column "' ~ column ~ '".' ~ fix) %}
    {% endfor %}
    {% set parts = [] %}
    {% for column, kind in kinds.items() %}
      {% set value = row['values'][column] %}
      {% if value is not none and kind == 'text' %}
        {% set value = value | string | lower if value is boolean else value | string %}
      {% elif value is not none and kind != 'other' %}
        {% set value = dbt_selfheal_database._number_text(value) %}
        {% if value is none or (kind == 'whole' and '.' in value) %}
          {% do dbt_selfheal._raise(table.origin ~ ': row ' ~ row.number ~ ', key column "' ~ column ~ '": the value is no ' ~ ('whole ' if kind == 'whole' else '')
            ~ 'number, and the column is ' ~ table.columns[column].dtype ~ '.\nNothing was inserted.') %}
        {% endif %}
      {% endif %}
      {% do row['values'].update({column: value}) %}
      {% do parts.append(value) %}
    {% endfor %}
    {% set key = 'row ' ~ row.number if none in parts else parts | string %}
    {% if key in seen %}
      {% do dbt_selfheal._raise(table.origin ~ ': rows ' ~ seen[key] ~ ' and ' ~ row.number ~ ' have the same key (' ~ dbt_selfheal_database._key_text(table, row) ~ ').'
        ~ fix) %}
    {% endif %}
    {% do seen.update({key: row.number}) %}
  {% endfor %}
{% endmacro %}


{# A number as text, the same for all ways to write it; none if it is no number. #}
{% macro _number_text(value) %}
  {% set text = value | int | string if value is boolean or (value is number and value % 1 == 0) else value | string | trim %}
  {% set parts = modules.re.fullmatch('([+-]?)0*([0-9]*)(?:[.]([0-9]*?)0*)?', text) %}
  {% if not parts or not modules.re.search('[0-9]', text) %}{% do return(none if (text | float(none)) is none else text | float | string) %}{% endif %}
  {% set number = (parts.group(2) or '0') ~ ('.' ~ parts.group(3) if parts.group(3) else '') %}
  {% do return('-' ~ number if parts.group(1) == '-' and number != '0' else number) %}
{% endmacro %}


{# What a column holds, from the name of its type: text, whole (numbers), number, or other. #}
{% macro _column_kind(column) %}
  {% set type = modules.re.sub(' *[(][0-9, ]*[)]', '', column.dtype | lower) %}
  {% if modules.re.fullmatch('(n|bp|var|nvar)?char|(character|char)( varying)?|text|string|clob', type) %}{% do return('text') %}{% endif %}
  {% if modules.re.fullmatch('u?(tiny|small|medium|big|huge)?int(eger)?[248]?|(small|big)?serial', type) %}{% do return('whole') %}{% endif %}
  {% do return('number' if modules.re.fullmatch('numeric|decimal|real|double( precision)?|float[48]?', type) else 'other') %}
{% endmacro %}


{# "code=admin", for people; a value from the environment is not shown. #}
{% macro _key_text(table, row) %}
  {% set parts = [] %}
  {% for column in table.key %}{% do parts.append(column ~ '=' ~ ('***' if column in row.secrets else row['values'][column])) %}{% endfor %}
  {% do return(parts | join(', ')) %}
{% endmacro %}
