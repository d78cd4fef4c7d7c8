{#
  Reading a seed's CSV file as dbt's own reader does, column types and values alike, and loading its rows.

  dbt gives a hook no way to that reader, but agate, which it is made of, is in reach: any query's result is an agate
  table, and a table can read a CSV file. Types are inferred here by dbt's rules, in dbt's order, with dbt's own type
  instances, which hang on the result of a query. On databases whose query results hold no dates, those of dbt's types are
  out of reach: dbt reads them with strptime and the formats %Y-%m-%d and %Y-%m-%d %H:%M:%S, and a dict with the pattern of what
  strptime takes, the format, and the agate type of parsed values stands for such a type.
#}

{# Stands for `load_agate_table` in a seed's context: the agate table of its CSV file, with dates parsed where the database has none. #}
{% macro _load_agate_table() %}
  {% set seed, rows = dbt_selfheal_seed, [] %}
  {% if seed.outline %}{% do return(seed.outline) %}{% endif %}
  {% set table = seed.reader.from_csv(seed.file, encoding='utf-8-sig', column_types=seed.types, delimiter=seed.delimiter) %}
  {% if not seed.formats %}{% do return(table) %}{% endif %}
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


{# Read and check a seed's file before anything is built. reader: the result of _seed_reader.
   Where the database itself can tell the types, the file is not read here; else a column is of the first of dbt's types, in dbt's order, that takes every value.
   Returns what _load_agate_table needs; raises for a file that is missing, empty, ragged or not UTF-8. #}
{% macro _check_seed(node, reader) %}
  {% set started_at, traits = dbt_selfheal._now(), dbt_selfheal._traits() %}
  {% set project = adapter.config if node.package_name == adapter.config.project_name else adapter.config.dependencies[node.package_name] %}
  {% set seed = {'reader': reader.table, 'file': project.project_root ~ '/' ~ node.original_file_path, 'delimiter': node.config.delimiter or ',', 'types': [], 'formats': {}, 'final_types': []} %}
  {% do seed.update({'outline': traits.seed_outline(node, seed, reader) if traits.seed_outline and (node.checksum.name == 'path' or traits.small_seed_outlines)}) %}
  {% set text = dbt_selfheal._read_seed_as_text(node, seed, reader) if not seed.outline else {'column_names': []} %}
  {% for name in text.column_names %}
    {% set first, values = namespace(type=reader.text if name in node.config.column_types), [] %}
    {% if not first.type %}{% do values.extend(set(text.columns[loop.index0].values())) %}{% endif %}
    {% for type in reader.types if not first.type and (not values or dbt_selfheal._takes_all(type, values, reader)) %}{% set first.type = type %}{% endfor %}
    {% set type = first.type or reader.text %}
    {% if type in reader.formats %}{% do seed.formats.update({name: type}) %}{% endif %}
    {% do seed.types.append(reader.raw if type in reader.formats else type) %}
    {% do seed.final_types.append(type.type if type in reader.formats else type) %}
  {% endfor %}
  {% do dbt_selfheal._emit('initialization_seed_checked', {
    'unique_id': node.unique_id, 'reader': 'database' if seed.outline else 'agate',
    'duration_seconds': (dbt_selfheal._now() - started_at).total_seconds() | round(3)}) %}
  {% do return(seed) %}
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
  {% set ragged = [] %}
  {% for value in surplus if value is not none %}{% do ragged.append((surplus.index(value), 'more')) %}{% endfor %}
  {% if none in last and not ragged and dbt_selfheal._traits().database_reads_seeds and node.config.get('fast', true) %}  {# the database does not take a short row #}
    {% for value in last %}{% if value is none and first[loop.index0] is not none %}{% do ragged.append((loop.index0, 'fewer')) %}{% endif %}{% endfor %}
  {% endif %}
  {% for row, how in ragged %}
    {% do dbt_selfheal._raise(name ~ ': row ' ~ (row + 1) ~ ' after the header has ' ~ how ~ ' values than the ' ~ names | length ~ ' columns of the header'
      ~ ' (' ~ names[:6] | join(', ') ~ (', ...' if names | length > 6 else '') ~ ').\nValues that hold the delimiter (' ~ seed.delimiter ~ ') must be quoted.' ~ fix) %}
  {% endfor %}
  {% do return({'column_names': names, 'columns': wide.columns}) %}
{% endmacro %}


{# Whether a type takes every value. The first few are tried one by one, as most types fail there; the rest by sorting
   with the test as key, which needs no call from Jinja for each: false comes first. agate's own types, which stand for dbt's
   date-times with a T (and booleans, where the database has none), take words like "tomorrow" (or "yes") besides. #}
{% macro _takes_all(type, values, reader) %}
  {% if type in reader.formats %}  {# strptime's pattern, and a day that its month has #}
    {% for value in values if value is not none and value.strip() | lower not in ('', 'null') %}
      {% set match = type.pattern.fullmatch(value.strip()) %}
      {% if not match %}{% do return(false) %}{% endif %}
      {% set year, month, day = match.group(1) | int, match.group(2) | int, match.group(3) | int %}
      {% set leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) %}
      {% if year == 0 or day > [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] %}{% do return(false) %}{% endif %}
    {% endfor %}
    {% do return(true) %}
  {% endif %}
  {% for value in values[:20] if not type.test(value) %}{% do return(false) %}{% endfor %}
  {% do values.sort(key=type.test) %}
  {% if not type.test(values[0]) %}{% do return(false) %}{% endif %}
  {% set iso = '\\s*|\\s*null\\s*|\\s*[+-]?[0-9][0-9W-]*T[0-9][0-9:.,]*(?:Z|[+-][0-9:]+)?\\s*' %}
  {% set boolean = '[\\s,]*(?:t,*r,*u,*e|f,*a,*l,*s,*e|n,*u,*l,*l)?[\\s,]*' %}
  {% set wanted = iso if type is sameas reader.iso_datetime else boolean if type is sameas reader.boolean %}
  {% if wanted %}
    {% set pattern = modules.re.compile(wanted, modules.re.IGNORECASE) %}
    {% for value in values if value is not none and not pattern.fullmatch(value) %}{% do return(false) %}{% endfor %}
  {% endif %}
  {% do return(true) %}
{% endmacro %}


{# What reads seeds: an agate table (for its reader) and dbt's types in dbt's order, once per invocation.
   raw keeps every text as it is; text is dbt's text type, to which '' and 'null' are null.
   A database without dates or booleans yields no such types: agate's own stand in. #}
{% macro _seed_reader() %}
  {% set result = run_query(dbt_selfheal._traits().typed_values) %}
  {% set types, row = result.column_types, result.rows[0] %}
  {% set standins = result.from_object([{'t': '2000-01-01T00:00:00', 'd': '2000-01-01', 'b': 'true'}]).column_types %}
  {% for type in standins %}
    {% do type.null_values.clear() %}
    {% do type.null_values.extend(['null', '']) %}
  {% endfor %}
  {% do types[6].null_values.extend(['null', '']) %}
  {% set reader = {'table': result, 'raw': types[5], 'text': types[6], 'iso_datetime': standins[0], 'boolean': standins[2], 'formats': []} %}
  {% if row[2] is string %}
    {% set date = '([0-9]{4})-(1[0-2]|0[1-9]|[1-9])-(3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9])' %}
    {% set dates = [
      {'type': standins[1], 'format': '%Y-%m-%d', 'is_date': true, 'pattern': modules.re.compile(date)},
      {'type': standins[0], 'format': '%Y-%m-%d %H:%M:%S', 'is_date': false,
       'pattern': modules.re.compile(date ~ '\\s+(?:2[0-3]|[0-1][0-9]|[0-9]):[0-5]?[0-9]:[0-5]?[0-9]')}] %}
    {% do reader.update({'formats': dates, 'types': [types[0], types[1]] + dates + [standins[0], standins[2], types[6]]}) %}
  {% else %}
    {% do reader.update({'types': [types[0], types[1], types[2], types[3], standins[0], types[4], types[6]]}) %}
  {% endif %}
  {% do return(reader) %}
{% endmacro %}


{# Stands for `load_csv_rows` in a seed's context: the statements of dbt's default__load_csv_rows, or of the adapter's own (see the trait seed_rows), without
   the call of another macro for each value, which takes most of the time of `dbt seed` where rows are inserted. #}
{% macro _load_csv_rows(model, agate_table) %}
  {% set names, own = agate_table.column_names, dbt_selfheal._traits().seed_rows or {} %}
  {% set row = '(' ~ ([get_binding_char()] * names | length) | join(',') ~ ')' %}
  {% set insert = 'insert into ' ~ this.render() ~ ' (' ~ get_seed_column_quoted_csv(model, names) ~ ') values ' %}
  {% set statements = [] %}
  {% for chunk in agate_table.rows | batch(own.batch or get_batch_size()) %}
    {% set bindings = [] %}
    {% for values in chunk %}{% do bindings.extend(own.transform(values) if own else values) %}{% endfor %}
    {% set sql = insert ~ ([row] * chunk | length) | join(',') %}
    {% do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) %}
    {% if not statements %}{% do statements.append(sql) %}{% endif %}
  {% endfor %}
  {% do return(statements[0]) %}
{% endmacro %}


{# The ids of the macros that may answer a call of one of these names, by dispatch too; our own are for seeds that
   are marked insert_missing, which have none of this. #}
{% macro _implementations(names) %}
  {% set found = [] %}
  {% for id in dbt_selfheal._manifest().macros if not id.startswith(('macro.dbt_selfheal.', 'macro.dbt_selfheal_database.')) and id.split('.')[2].split('__') | last in names %}{% do found.append(id) %}{% endfor %}
  {% do return(found) %}
{% endmacro %}
