{#
  DuckDB.
#}

{% macro duckdb___traits() %}
  {% do return(dict(dbt_selfheal_database.default___traits(), transactional_ddl=not adapter.config.credentials.disable_transactions, reads_catalog=true,
    hides_values=true, version='select version()', bytes='select coalesce(max(block_size * used_blocks), 0) from pragma_database_size() where database_name = '
    ~ dbt_selfheal._literal(target.database))) %}
{% endmacro %}


{% macro duckdb___read_catalog(database, schema, views) %}
  {% set place = ' where lower(database_name) = lower(' ~ dbt_selfheal._literal(database) ~ ') and lower(schema_name) = lower(' ~ dbt_selfheal._literal(schema) ~ ')' %}
  {% set name = '(?:"(?:""|[^"])*"|[^\\s,"()]+)' %}
  {% do return({
    'columns': dbt_selfheal._fetch('select table_name, column_name, data_type, case when is_nullable then 1 else 0 end from duckdb_columns()'
      ~ place ~ ' and not internal order by table_name, column_index'),
    'keys': dbt_selfheal._fetch("select table_name, lower(replace(constraint_type, ' ', '_')), constraint_column_names from duckdb_constraints()"
      ~ place ~ " and constraint_type <> 'NOT NULL'"),
    'indexes': dbt_selfheal._fetch("select table_name, index_name, case when is_unique then 1 else 0 end, regexp_extract(sql, '[(](" ~ name ~ '(?:, ' ~ name ~ ")*)[)];?$', 1) "
      ~ 'from duckdb_indexes()' ~ place)}) %}
{% endmacro %}


{# By DuckDB itself. It is asked only for types of which every part is known, as its error for another one would end the
   comparison. What it cannot even parse it says as JSON. #}
{% macro duckdb___type_names(names) %}
  {% set known, certain = dbt_selfheal_database._duckdb_plain_types(), [] %}
  {% for type in names if dbt_selfheal_database._duckdb_knows_type(type, known) %}{% do certain.append(type) %}{% endfor %}
  {% set faults = dbt_selfheal_database._duckdb_casts('json_serialize_sql(%s) ->> \'error\'', certain, true) %}
  {% for type, fault in faults.items() if fault | string | lower == 'true' %}{% do certain.remove(type) %}{% endfor %}
  {% do return(dict(names, **dbt_selfheal_database._duckdb_casts('typeof(%s)', certain))) %}
{% endmacro %}


{# What an expression gives for the cast of a null to each type: {type: value}. as_text: for the text of the cast as a query. #}
{% macro _duckdb_casts(expression, types, as_text=false) %}
  {% set parts, values = [], {} %}
  {% for type in types %}
    {% set cast = 'cast(null as ' ~ type ~ ')' %}
    {% do parts.append(expression.replace('%s', dbt_selfheal._literal('select ' ~ cast) if as_text else cast) ~ ' as value_' ~ loop.index) %}
  {% endfor %}
  {% set row = dbt_selfheal._fetch('select ' ~ parts | join(', '))[0] if types else [] %}
  {% for type in types %}{% do values.update({type: row[loop.index0]}) %}{% endfor %}
  {% do return(values) %}
{% endmacro %}


{# A pattern of the names of types that are whole by themselves, in lower case; those of users with or without their schema. #}
{% macro _duckdb_plain_types() %}
  {% set names = ['double precision', 'character varying', 'timestamp with(?:out)? time zone', 'time with(?:out)? time zone'] %}
  {% set in_path = "database_name in ('system', 'temp') or (database_name = current_database() and list_contains(current_schemas(false) || [current_schema()], schema_name))" %}
  {% for row in dbt_selfheal._fetch('select distinct lower(type_name), case when not internal then lower(schema_name) end, '
      ~ 'case when not internal then lower(database_name) end, case when ' ~ in_path ~ ' then 1 else 0 end from duckdb_types() '
      ~ "where lower(type_name) not in ('array', 'enum', 'list', 'map', 'null', 'row', 'struct', 'tuple', 'union') or not internal") %}
    {% set parts = [] %}
    {% for part in (row[2], row[1], row[0]) if part is not none %}
      {% do parts.append(modules.re.escape(part if modules.re.fullmatch('[a-z_][a-z0-9_]*', part) else '"' ~ part.replace('"', '""') ~ '"')) %}
    {% endfor %}
    {% if row[3] | int %}{% do names.append(parts[-1]) %}{% endif %}
    {% if parts | length > 1 %}{% do names.append('(?:' ~ parts[0] ~ '[.])?' ~ parts[1] ~ '[.]' ~ parts[2]) %}{% endif %}
  {% endfor %}
  {# a longer name before one that it begins with #}
  {% do return('(?<![\\w".])(?:' ~ names | sort(reverse=true) | join('|') ~ ')(?![\\w".])') %}
{% endmacro %}


{# Whether every part of a type is known: each part that is, from the innermost on, becomes a #, until that is all.
   known: of _duckdb_plain_types. #}
{% macro _duckdb_knows_type(type, known) %}
  {% set text = modules.re.sub('\\s*([(),\\[\\]])\\s*', '\\1', modules.re.sub('\\s+', ' ', type | lower | trim)) %}
  {% for width, scale in modules.re.findall('\\b(?:decimal|numeric|dec)[(](\\d+)(?:,(\\d+))?[)]', text) if not 0 < width | int < 39 or scale | int > width | int %}
    {% do return(false) %}
  {% endfor %}
  {% set field = '(?:"(?:""|[^"])*"|[\\w#]+) #' %}
  {% set found = namespace(text=text) %}
  {% for pattern in (
    "\\b(?:enum|geometry)[(]'(?:''|[^'])*'(?:,'(?:''|[^'])*')*[)]",
    '\\b(?:decimal|numeric|dec)[(]\\d+(?:,\\d+)?[)]',
    '\\b(?:varchar|char|bpchar|nvarchar|string|text|character varying|bit|bitstring|float(?=[(](?:[1-9]|[1-4]\\d|5[0-3])[)])|(?:timestamp|datetime)(?=[(]\\d[)]))[(]\\d+[)]',
    known) + ('#\\[\\d*\\]|# array(?:\\[\\d+\\])?|map[(]#,#[)]|(?:struct|row|union)[(]' ~ field ~ '(?:,' ~ field ~ ')*[)]',) * (text | length) %}
    {% set found.text = modules.re.sub(pattern, '#', found.text) if found.text != '#' else '#' %}
  {% endfor %}
  {% do return(found.text == '#' and '#' not in type) %}
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
