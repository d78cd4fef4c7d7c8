{#
  Types: a declared type is turned into the database's own name for it, so that int, int4 and integer are one.
#}

{# The database's own names of declared types: {type as declared: name, or none where the database does not know it}. #}
{% macro _type_names(types) %}
  {% set names = {} %}
  {% for type in types %}{% do names.update({type: none}) %}{% endfor %}
  {% do return(adapter.dispatch('_type_names', 'dbt_selfheal_database')(names) if names else names) %}
{% endmacro %}

{% macro default___type_names(names) %}
  {% for type in names %}{% do names.update({type: type}) %}{% endfor %}
  {% do return(names) %}
{% endmacro %}

{# By DuckDB itself. It is asked only for types of which every part is known, as its error for another one would end the
   comparison. What it cannot even parse it says as JSON. #}
{% macro duckdb___type_names(names) %}
  {% set known, certain = dbt_selfheal_database._duckdb_plain_types(), [] %}
  {% for type in names if dbt_selfheal_database._is_duckdb_type(type, known) %}{% do certain.append(type) %}{% endfor %}
  {% set faults = dbt_selfheal_database._of_casts('json_serialize_sql(%s) ->> \'error\'', certain, true) %}
  {% for type, fault in faults.items() if fault | string | lower == 'true' %}{% do certain.remove(type) %}{% endfor %}
  {% do return(dict(names, **dbt_selfheal_database._of_casts('typeof(%s)', certain))) %}
{% endmacro %}


{# What an expression gives for the cast of a null to each type: {type: value}. as_text: for the text of the cast as a query. #}
{% macro _of_casts(expression, types, as_text=false) %}
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
{% macro _is_duckdb_type(type, known) %}
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


{# By PostgreSQL itself: a query plan names the type that it casts to, with its length, and runs nothing. The loop is in the
   database, where the error of a type that it does not know can be caught. #}
{% macro postgres___type_names(names) %}
  {% set asked = [] %}
  {% for type in names if ';' not in type %}{% do asked.append(type) %}{% endfor %}
  {% do dbt_selfheal._fetch("select set_config('dbt_selfheal.types', " ~ dbt_selfheal._literal(tojson(asked)) ~ ', false)') %}
  {% do adapter.execute(dbt_selfheal_database._postgres_name_types(), auto_begin=false, fetch=false) %}
  {% do names.update(fromjson(dbt_selfheal._fetch("select current_setting('dbt_selfheal.types')")[0][0])) %}
  {% do return(names) %}
{% endmacro %}


{# Replaces the list of types in a setting of the session by a dict of their names. #}
{% macro _postgres_name_types() %}
do $$
declare
  type text;
  plan json;
  names jsonb := '{}';
begin
  for type in select json_array_elements_text(current_setting('dbt_selfheal.types')::json) loop
    begin
      execute 'explain (verbose, format json) select cast(null as ' || type || ')' into plan;
      names := names || jsonb_build_object(type, regexp_replace(plan #>> '{0,Plan,Output,0}', '^.*::', ''));
    exception when others then
      null;
    end;
  end loop;
  perform set_config('dbt_selfheal.types', names::text, false);
end $$
{% endmacro %}

{# SQLite takes any name for a type; what counts is the affinity that the name gives a column. #}
{% macro sqlite___type_names(names) %}
  {% for type in names %}{% do names.update({type: dbt_selfheal_database._affinity(type)}) %}{% endfor %}
  {% do return(names) %}
{% endmacro %}


{# The affinity of a type's name, by the rules of https://sqlite.org/datatype3.html, in their order. #}
{% macro _affinity(type) %}
  {% set name = type | upper %}
  {% do return('INTEGER' if 'INT' in name else 'TEXT' if 'CHAR' in name or 'CLOB' in name or 'TEXT' in name else 'BLOB' if 'BLOB' in name
    else 'REAL' if 'REAL' in name or 'FLOA' in name or 'DOUB' in name else 'NUMERIC') %}
{% endmacro %}


{# Whether a column has the type that is declared, whose name in the database is `name`. A declared type without a length takes any. #}
{% macro _same_type(declared, name, found) %}
  {% do return(adapter.dispatch('_same_type', 'dbt_selfheal_database')(declared, name, found)) %}
{% endmacro %}

{% macro default___same_type(declared, name, found) %}
  {% set name, found, length = name | lower | replace(' ', ''), found | lower | replace(' ', ''), '[(][\\d,]+[)]' %}
  {% do return(name == found or ('(' not in declared and modules.re.sub(length, '', name) == modules.re.sub(length, '', found))) %}
{% endmacro %}

{# A column of a table that a query has made may have no type at all, and then takes every value as it is. #}
{% macro sqlite___same_type(declared, name, found) %}
  {% do return(not found or name == dbt_selfheal_database._affinity(found)) %}
{% endmacro %}
