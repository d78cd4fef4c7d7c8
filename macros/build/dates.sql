{#
  Dates and date-times in seeds, on databases whose query results hold none, so that dbt's own types for them are out of
  reach. dbt reads them with strptime and the formats %Y-%m-%d and %Y-%m-%d %H:%M:%S; a format here stands for such a type:
  a pattern of what strptime takes, the format, and the agate type that a column of parsed values has.
#}

{% macro _date_format(type) %}
  {% do return({'type': type, 'format': '%Y-%m-%d', 'is_date': true,
    'pattern': modules.re.compile('([0-9]{4})-(1[0-2]|0[1-9]|[1-9])-(3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9])')}) %}
{% endmacro %}


{% macro _datetime_format(type) %}
  {% do return({'type': type, 'format': '%Y-%m-%d %H:%M:%S', 'is_date': false,
    'pattern': modules.re.compile('([0-9]{4})-(1[0-2]|0[1-9]|[1-9])-(3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9])\\s+'
      ~ '(?:2[0-3]|[0-1][0-9]|[0-9]):[0-5]?[0-9]:[0-5]?[0-9]')}) %}
{% endmacro %}


{# Whether strptime would take every value that is not null: the pattern, and a day that its month has. #}
{% macro _all_of_format(values, format) %}
  {% for value in values if value is not none and value.strip() | lower not in ('', 'null') %}
    {% set match = format.pattern.fullmatch(value.strip()) %}
    {% if not match %}{% do return(false) %}{% endif %}
    {% set year, month, day = match.group(1) | int, match.group(2) | int, match.group(3) | int %}
    {% set leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) %}
    {% if year == 0 or day > [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] %}{% do return(false) %}{% endif %}
  {% endfor %}
  {% do return(true) %}
{% endmacro %}


{# When the type just inferred for a column is a format: have the column read as text, and parsed afterwards. #}
{% macro _note_format(name, seed, reader) %}
  {% set type = seed.types[-1] %}
  {% if type in reader.formats %}
    {% do seed.formats.update({name: type}) %}
    {% do seed.types.pop() %}
    {% do seed.types.append(reader.raw) %}
    {% do seed.final_types.append(type.type) %}
  {% else %}
    {% do seed.final_types.append(type) %}
  {% endif %}
{% endmacro %}


{# The table with the columns of a format parsed. #}
{% macro _with_parsed_columns(table, seed) %}
  {% set rows = [] %}
  {% for row in table.rows %}
    {% set values = dict(row.dict()) %}
    {% for name, format in seed.formats.items() %}
      {% set text = values[name].strip() if values[name] is not none else '' %}
      {% set moment = modules.datetime.datetime.strptime(text, format.format) if text | lower not in ('', 'null') else none %}
      {% do values.update({name: moment.date() if moment and format.is_date else moment}) %}
    {% endfor %}
    {% do rows.append(values) %}
  {% endfor %}
  {% do return(table.from_object(rows, column_types=seed.final_types)) %}
{% endmacro %}
