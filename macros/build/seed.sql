{#
  Reading a seed's CSV file as dbt's own reader does, column types and values alike.

  dbt gives a hook no way to that reader, but agate, which it is made of, is in reach: any query's result is an agate
  table, and a table can read a CSV file. Types are inferred here by dbt's rules, in dbt's order, with dbt's own type
  instances, which hang on the result of a query.
#}

{# Stands for `load_agate_table` in a seed's context: the agate table of its CSV file. #}
{% macro _load_agate_table() %}
  {% set seed = dbt_selfheal_seed %}
  {% if seed.outline %}{% do return(seed.outline) %}{% endif %}
  {% set table = seed.reader.from_csv(seed.file, encoding='utf-8-sig', column_types=seed.types, delimiter=seed.delimiter) %}
  {% do return(dbt_selfheal._with_parsed_columns(table, seed) if seed.formats else table) %}
{% endmacro %}


{# Read and check a seed's file before anything is built. reader: the result of _seed_reader.
   Where the database itself can tell the types, the file is not read here (see seed_duckdb.sql).
   Returns what _load_agate_table needs; raises for a file that is missing, empty, ragged or not UTF-8. #}
{% macro _check_seed(node, reader) %}
  {% set started_at = dbt_selfheal._now() %}
  {% set seed = {'reader': reader.table, 'file': dbt_selfheal._seed_file(node), 'delimiter': node.config.delimiter, 'types': [], 'formats': {}, 'final_types': []} %}
  {% do seed.update({'outline': dbt_selfheal._seed_outline(node, seed, reader)}) %}
  {% if not seed.outline %}{% do dbt_selfheal._infer_seed(node, seed, reader) %}{% endif %}
  {% do dbt_selfheal._emit('initialization_seed_checked', {
    'unique_id': node.unique_id, 'reader': 'database' if seed.outline else 'agate',
    'duration_seconds': (dbt_selfheal._now() - started_at).total_seconds() | round(3)}) %}
  {% do return(seed) %}
{% endmacro %}


{# Read a seed's file as text and find the types of its columns. #}
{% macro _infer_seed(node, seed, reader) %}
  {% set text = dbt_selfheal._read_seed_as_text(node, seed, reader) %}
  {% for name in text.column_names %}
    {% if name in node.config.column_types %}
      {% do seed.types.append(reader.text) %}
    {% else %}
      {% do seed.types.append(dbt_selfheal._infer_type(text.columns[loop.index0].values(), reader)) %}
    {% endif %}
    {% do dbt_selfheal._note_format(name, seed, reader) %}
  {% endfor %}
{% endmacro %}


{# The path of a seed's file: under the project that it belongs to. #}
{% macro _seed_file(node) %}
  {% set project = adapter.config %}
  {% if node.package_name != project.project_name %}{% set project = project.dependencies[node.package_name] %}{% endif %}
  {% do return(project.project_root ~ '/' ~ node.original_file_path) %}
{% endmacro %}


{# The agate table of a seed's file with every value as the text in the file. Two columns to spare find a row with more
   values than the header, to name it. #}
{% macro _read_seed_as_text(node, seed, reader) %}
  {% set open, file, name = seed.reader.from_csv, seed.file, 'the seed file ' ~ node.original_file_path %}
  {% set probe = {'header': false, 'column_names': ['x'], 'column_types': [reader.raw], 'row_limit': 0} %}
  {% set fix = '\nNothing was built. Put the file right and run the same command again.' %}
  {% do try_or_compiler_error('dbt_selfheal: ' ~ name ~ ' (seed ' ~ node.name ~ ') is not there, or cannot be opened: ' ~ file ~ fix,
    open, file, encoding='latin-1', **probe) %}
  {% do try_or_compiler_error('dbt_selfheal: ' ~ name ~ ' is not valid UTF-8. Save it as UTF-8.' ~ fix, open, file, encoding='utf-8-sig', **probe) %}
  {% set header = open(file, encoding='utf-8-sig', delimiter=seed.delimiter, row_limit=0) %}
  {% if header is undefined or not header.column_names %}
    {% do dbt_selfheal._raise(name ~ ' is empty: its first line must name the columns.' ~ fix) %}
  {% endif %}
  {% set names = header.column_names | list %}
  {% set wide = try_or_compiler_error(
    'dbt_selfheal: ' ~ name ~ ' cannot be read as CSV: a row has more values than the ' ~ names | length ~ ' columns of the header, or a '
      ~ 'quote is not closed. Values that hold the delimiter (' ~ seed.delimiter ~ ') must be quoted.' ~ fix,
    open, file, encoding='utf-8-sig', header=true, delimiter=seed.delimiter,
    column_names=names + ['dbt_selfheal_spare_1', 'dbt_selfheal_spare_2'], column_types=[reader.raw] * (names | length + 2)) %}
  {% set surplus, first, last = wide.columns[names | length].values(), wide.columns[0].values(), wide.columns[names | length - 1].values() %}
  {% for value in surplus if value is not none %}
    {% do dbt_selfheal._raise_ragged(name, surplus.index(value), 'more', names, seed, fix) %}
  {% endfor %}
  {% if none in last and not dbt_selfheal._takes_short_rows(node) %}
    {% for value in last %}
      {% if value is none and first[loop.index0] is not none %}
        {% do dbt_selfheal._raise_ragged(name, loop.index0, 'fewer', names, seed, fix) %}
      {% endif %}
    {% endfor %}
  {% endif %}
  {% do return({'column_names': names, 'columns': wide.columns}) %}
{% endmacro %}


{% macro _raise_ragged(name, row, how, names, seed, fix) %}
  {% do dbt_selfheal._raise(name ~ ': row ' ~ (row + 1) ~ ' after the header has ' ~ how ~ ' values than the ' ~ names | length ~ ' columns of the header'
    ~ ' (' ~ names[:6] | join(', ') ~ (', ...' if names | length > 6 else '') ~ ').\nValues that hold the delimiter (' ~ seed.delimiter ~ ') must be quoted.' ~ fix) %}
{% endmacro %}


{# Whether `dbt seed` takes a row with fewer values than the header, the rest being null. #}
{% macro _takes_short_rows(node) %}
  {% do return(adapter.dispatch('_takes_short_rows', 'dbt_selfheal')(node)) %}
{% endmacro %}

{% macro default___takes_short_rows(node) %}
  {% do return(true) %}
{% endmacro %}

{# dbt-duckdb has the database read the file, which does not. #}
{% macro duckdb___takes_short_rows(node) %}
  {% do return(not node.config.get('fast', true)) %}
{% endmacro %}


{# The first of dbt's types, in dbt's order, that takes every value. values: tuple of strings or none. #}
{% macro _infer_type(values, reader) %}
  {% set distinct = set(values) | list %}
  {% for type in reader.types if not distinct or dbt_selfheal._takes_all(type, distinct, reader) %}
    {% do return(type) %}
  {% endfor %}
  {% do return(reader.text) %}
{% endmacro %}


{# Whether a type takes every value. The first few are tried one by one, as most types fail there; the rest by sorting
   with the test as key, which needs no call from Jinja for each: false comes first. #}
{% macro _takes_all(type, values, reader) %}
  {% if type in reader.formats %}{% do return(dbt_selfheal._all_of_format(values, type)) %}{% endif %}
  {% for value in values[:20] if not type.test(value) %}{% do return(false) %}{% endfor %}
  {% do values.sort(key=type.test) %}
  {% if not type.test(values[0]) %}{% do return(false) %}{% endif %}
  {% if type is sameas reader.iso_datetime %}{% do return(dbt_selfheal._all_iso_datetimes(values)) %}{% endif %}
  {% if type is sameas reader.boolean %}{% do return(dbt_selfheal._all_booleans(values)) %}{% endif %}
  {% do return(true) %}
{% endmacro %}


{# Whether all values are ISO 8601 date-times with a T, or null. agate's own date-time type, which stands for dbt's
   here, reads those the same way, but takes words like "tomorrow" besides. #}
{% macro _all_iso_datetimes(values) %}
  {% set pattern = modules.re.compile('\\s*|\\s*null\\s*|\\s*[+-]?[0-9][0-9W-]*T[0-9][0-9:.,]*(?:Z|[+-][0-9:]+)?\\s*', modules.re.IGNORECASE) %}
  {% for value in values if value is not none and not pattern.fullmatch(value) %}
    {% do return(false) %}
  {% endfor %}
  {% do return(true) %}
{% endmacro %}


{# Whether all values are true, false or null: agate's own boolean type, which stands for dbt's where the database has no
   booleans, takes 1, yes and the like besides. #}
{% macro _all_booleans(values) %}
  {% for value in values if value is not none and value.replace(',', '').strip() | lower not in ('true', 'false', 'null', '') %}
    {% do return(false) %}
  {% endfor %}
  {% do return(true) %}
{% endmacro %}


{# What reads seeds: an agate table (for its reader) and dbt's types in dbt's order, once per invocation.
   raw keeps every text as it is; text is dbt's text type, to which '' and 'null' are null.
   A database without dates or booleans yields no such types: agate's own stand in (see dates.sql). #}
{% macro _seed_reader() %}
  {% set result = run_query(dbt_selfheal._typed_values_sql()) %}
  {% set types, row = result.column_types, result.rows[0] %}
  {% set standins = result.from_object([{'t': '2000-01-01T00:00:00', 'd': '2000-01-01', 'b': 'true'}]).column_types %}
  {% for type in standins %}
    {% do type.null_values.clear() %}
    {% do type.null_values.extend(['null', '']) %}
  {% endfor %}
  {% do types[6].null_values.extend(['null', '']) %}
  {% set reader = {'table': result, 'raw': types[5], 'text': types[6], 'iso_datetime': standins[0], 'boolean': standins[2], 'formats': []} %}
  {% if row[2] is string %}
    {% set dates = [dbt_selfheal._date_format(standins[1]), dbt_selfheal._datetime_format(standins[0])] %}
    {% do reader.update({'formats': dates, 'types': [types[0], types[1]] + dates + [standins[0], standins[2], types[6]]}) %}
  {% else %}
    {% do reader.update({'types': [types[0], types[1], types[2], types[3], standins[0], types[4], types[6]]}) %}
  {% endif %}
  {% do return(reader) %}
{% endmacro %}


{# A query whose columns are an integer, a decimal, a date, a timestamp, a boolean and two texts. #}
{% macro _typed_values_sql() %}
  {% do return(adapter.dispatch('_typed_values_sql', 'dbt_selfheal')()) %}
{% endmacro %}

{% macro default___typed_values_sql() %}
  {% do return("select 1 as i, 1.5 as n, cast('2000-01-01' as date) as d, cast('2000-01-01 00:00:00' as timestamp) as t, "
    ~ "cast(1 as boolean) as b, 'a' as raw, 'a' as txt") %}
{% endmacro %}

{% macro postgres___typed_values_sql() %}
  {% do return("select 1 as i, 1.5 as n, date '2000-01-01' as d, timestamp '2000-01-01 00:00:00' as t, true as b, "
    ~ "'a'::text as raw, 'a'::text as txt") %}
{% endmacro %}

{# SQLite has neither dates nor booleans. #}
{% macro sqlite___typed_values_sql() %}
  {% do return("select 1 as i, 1.5 as n, '2000-01-01' as d, '2000-01-01 00:00:00' as t, 1 as b, 'a' as raw, 'a' as txt") %}
{% endmacro %}
