{#
  DuckDB. Its file has one writing process at a time by itself, so nothing is locked here.

  Large seeds: dbt-duckdb has the database itself read a seed's file into the table; dbt's own reader, which is
  slow and holds the whole file several times, tells it only the names and types of the columns and the number of rows.
  Those can be had from the database too, where it is certain that they come out the same. Where it is not (see below), none
  of this is used, and build/seed.sql reads the file as dbt does.

  Certain is, by queries that never fail: that the file is UTF-8 and its lines end all alike; that each line is one row
  with as many values as the header, quotes only around whole values (then Python's reader and the database's split it alike);
  and for each column, that each value is of a kind of which it is known which of dbt's types take it.
#}

{% macro duckdb___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'duckdb', 'transactions': 'dbt', 'looks_again': false, 'file_sources': true, 'can_read': context['dbt_selfheal']['_duckdb_can_read'], 'outside': context['dbt_selfheal']['_duckdb_outside'],
    'enter_session': context['dbt_selfheal']['_duckdb_session'], 'database_reads_seeds': true, 'seed_outline': context['dbt_selfheal']['_duckdb_seed_outline'],
    'names': "select table_name, 'table' from duckdb_tables() where lower(database_name) = lower({database}) and lower(schema_name) = lower({schema}) union all "
      ~ "select view_name, 'view' from duckdb_views() where lower(database_name) = lower({database}) and lower(schema_name) = lower({schema})",
    'forbidden': "select 'the database ' || database_name || ' (' || coalesce(path, 'in memory') || ') is attached read-only' from duckdb_databases() "
      ~ 'where readonly and lower(database_name) = lower({database})',
    'view_code': 'select sql from duckdb_views() where lower(database_name) = lower({database}) and lower(schema_name) = lower({schema}) and lower(view_name) = lower({name})',
    'function_exists': 'select 1 from duckdb_functions() where lower(database_name) = lower({database}) and lower(schema_name) = lower({schema}) '
      ~ 'and lower(function_name) = lower({name}) and not internal limit 1'})) %}
{% endmacro %}


{# What `set` and `use` have changed in this session is set back to what a session of dbt's begins with; variables are taken away, and
   temporary relations put out of the way of unqualified names. #}
{% macro _duckdb_session() %}
  {% set cursor, hidden = adapter.add_query('select 1', auto_begin=false)[0].handle.cursor(), '__dbt_selfheal_hidden' %}
  {% if flags.WHICH != 'run-operation' and dbt_selfheal._fetch('select txid_current()')[0][0] == dbt_selfheal._fetch('select txid_current()')[0][0] %}
    {% do return(none) %}
  {% endif %}
  {% if cursor.cursor is not defined %}{% do return([]) %}{% endif %}
  {% set fresh, undo, query = cursor.cursor(), [], "select name, value from duckdb_settings() where name <> 'schema'" %}
  {% for name, value in (adapter.config.credentials.settings or {}).items() %}
    {% do fresh.execute('set ' ~ name ~ ' = ' ~ dbt_selfheal._literal(value | string)) %}
  {% endfor %}
  {% set wanted = dict(fresh.execute(query).fetchall()) %}
  {% do fresh.close() %}
  {% for row in dbt_selfheal._fetch(query) if row[1] != wanted[row[0]] %}
    {% do undo.append('set ' ~ row[0] ~ ' = ' ~ dbt_selfheal._literal(row[1]) if row[1] else 'reset ' ~ row[0]) %}
    {% do dbt_selfheal._fetch('set ' ~ row[0] ~ ' = ' ~ dbt_selfheal._literal(wanted[row[0]]) if wanted[row[0]] else 'reset ' ~ row[0]) %}
  {% endfor %}
  {% for row in dbt_selfheal._fetch('select name, value::varchar, type from duckdb_variables()') %}
    {% do undo.append('set variable ' ~ adapter.quote(row[0]) ~ ' = ' ~ (dbt_selfheal._literal(row[1]) if row[1] is not none else 'null') ~ '::' ~ row[2]) %}
    {% do dbt_selfheal._fetch('reset variable ' ~ adapter.quote(row[0])) %}
  {% endfor %}
  {% for row in dbt_selfheal._fetch("select table_name, if(table_type = 'VIEW', 'view', 'table') from system.information_schema.tables where table_catalog = 'temp'") if hidden not in row[0] %}
    {% do undo.append('alter ' ~ row[1] ~ ' temp.main.' ~ adapter.quote(row[0] ~ hidden) ~ ' rename to ' ~ adapter.quote(row[0])) %}
    {% do dbt_selfheal._fetch('alter ' ~ row[1] ~ ' temp.main.' ~ adapter.quote(row[0]) ~ ' rename to ' ~ adapter.quote(row[0] ~ hidden)) %}
  {% endfor %}
  {% do return(undo) %}
{% endmacro %}


{# dbt-duckdb asks whether a file is there by `select 1 from 'the file' where 1=0`, and takes an error for a no: so it can be asked
   for any relation. #}
{% macro _duckdb_can_read(node) %}
  {% do return(adapter.location_exists("sqlite_master', " ~ api.Relation.create_from(adapter.config, node) ~ ' where 1=0 -- ')) %}
{% endmacro %}


{# The data of an external model is its file or folder. Returns whether that is there (readable or not), and the statement that makes only the
   view over it, as dbt-duckdb's own register_upstream_external_models() does: {'exists', 'view'}. #}
{% macro _duckdb_outside(node) %}
  {% set relation = api.Relation.create_from(adapter.config, node) %}
  {% set base = dbt_selfheal._base_context() %}
  {% do dbt_selfheal._enter_context(node, base) %}
  {% set config = dict(node.config.to_dict(), options=dict(node.config.get('options') or {})) %}  {# dbt-duckdb writes into the options #}
  {% set location = render(config.get('location') or external_location(relation, config)) %}
  {% set options = render_write_options(config) %}
  {% do dbt_selfheal._restore_context(base) %}
  {% set file = adapter.external_read_location(location, options).replace("'", "''") %}
  {% set pattern = file if '*' in file else file[:-1] ~ '[' ~ file[-1] ~ ']' %}  {# a store is asked for its list only where there is a pattern #}
  {% set listed = "sqlite_master' where 1=0 union all select if(count(*) = 0, error('no file'), 1) from glob('" ~ pattern ~ "') -- " %}
  {% do return({'exists': adapter.location_exists(file) or adapter.location_exists(listed), 'view': 'create or replace view ' ~ relation ~ " as (\n  select * from '" ~ file ~ "'\n)"}) %}
{% endmacro %}


{# For a large seed: for a small one agate is quicker than the queries and their macros. #}
{% macro _duckdb_seed_outline(node, seed, reader) %}
  {% set file, delimiter = seed.file, seed.delimiter %}
  {% if 'database_reads' not in reader %}
    {% set others = [] %}  {# macros that read seeds in another way, or look at what was read, or at dbt's count of it #}
    {% for id in dbt_selfheal._implementations(['materialization_seed_default', 'materialization_seed_duckdb', 'create_csv_table', 'load_csv_rows', 'get_csv_sql'])
        if id.split('.')[1] not in ('dbt', 'dbt_duckdb') %}{% do others.append(id) %}{% endfor %}
    {% for id, macro in dbt_selfheal._manifest().macros.items() if 'load_result' in macro.macro_sql and macro.package_name not in ('dbt', 'dbt_duckdb', 'dbt_selfheal', 'dbt_selfheal_database')
        and modules.re.search('load_result\\W+(?:main|agate_table)', macro.macro_sql) %}{% do others.append(id) %}{% endfor %}
    {% set loader, version = context['dbt'].get('duckdb__load_csv_rows'), modules.re.match('v?(\\d+)[.](\\d+)', run_query('select version()').rows[0][0]) %}
    {% do reader.update({'database_reads': not others and loader and 'FORMAT CSV, HEADER TRUE' in loader.macro.macro_sql
      and version and (version.group(1) | int, version.group(2) | int) >= (1, 2)}) %}  {# 1.1 has no strict_mode #}
  {% endif %}
  {% if not reader.database_reads or node.config.materialized != 'seed' or not node.config.get('fast', true) or node.config.meta.selfheal
      or 'load_result' in node.config.pre_hook ~ node.config.post_hook or delimiter not in (',', ';', '|', '\t') or modules.re.search("[*?{}\\[\\]']", file) %}
    {% do return(none) %}
  {% endif %}
  {% if not run_query("select 1 from glob('" ~ file ~ "')").rows %}{% do return(none) %}{% endif %}
  {% set lines = run_query(dbt_selfheal._seed_lines_sql(seed)).rows[0] %}
  {% set names, seen = [], {} %}
  {% for text in lines['header'].split(delimiter) if lines['certain'] %}
    {% set name = text[1:-1] if text | length > 2 and text.startswith('"') and text.endswith('"') else text %}
    {% if not modules.re.fullmatch('\\w(?:[\\w .-]*\\w)?', name) or name | lower in seen %}{% do return(none) %}{% endif %}  {# only plain names that differ #}
    {% do seen.update({name | lower: true}) %}
    {% do names.append(name) %}
  {% endfor %}
  {% if not names or names | length > 200 or lines['delimiters'] != names | length - 1 %}{% do return(none) %}{% endif %}
  {% do seed.update({'lines': lines['lines'] - 1}) %}
  {% set kinds = dbt_selfheal._seed_kinds(names, node, seed) %}
  {% if not kinds or 'unknown' in kinds.values() %}{% do return(none) %}{% endif %}
  {% set types = {'integer': reader.types[1], 'decimal': reader.types[1], 'date': reader.types[2], 'datetime': reader.types[3], 'iso': reader.types[4],
                  'boolean': reader.types[5], 'text': reader.text} %}
  {% set row, column_types = {}, [] %}
  {% for name in names %}
    {% do row.update({name: '0.5' if kinds[name] == 'decimal' else none}) %}
    {% do column_types.append(types[kinds[name]]) %}
  {% endfor %}
  {% do seed.update({'rows': seed.lines}) %}
  {% do return(reader.table.from_object([row], column_types=column_types)) %}
{% endmacro %}


{# The query of the file as lines: their number, the first, the delimiters outside of quotes (the same number in each), and
   whether all is certain, which the sum of their bytes tells: nothing but line ends of one kind is left out. #}
{% macro _seed_lines_sql(seed) %}
  {% set file, delimiter = seed.file, seed.delimiter %}
  {% set read %}read_csv('{{ file }}', columns={'line': 'VARCHAR'}, delim=chr(1), quote='', escape='', comment='', nullstr=chr(2), header=false, auto_detect=false, strict_mode=false, ignore_errors=true{% endset %}
  {% set sql %}
    with file as (select size, content::varchar as bytes from read_blob('{{ file }}')),
    ends as (
      select size - if(starts_with(bytes, '\xEF\xBB\xBF'), 3, 0) as size, if(suffix(bytes, '\x0A'), 0, 1) as unended,
        case when not contains(bytes, '\x0D') then 1
             when not regexp_matches(replace(bytes, '\x0D\x0A', ''), '[\\]x0[AD]') then 2 end as width
      from file),
    parts as (
      select strlen(line) as bytes, contains(line, chr(0)) as has_nul, case when contains(line, '"') then regexp_full_match(line,
          '(?:[^"{{ delimiter }}]*|"(?:[^"]|"")*")(?:[{{ delimiter }}](?:[^"{{ delimiter }}]*|"(?:[^"]|"")*"))*') else true end as is_plain,
        case when contains(line, '"') then regexp_replace(line, '"(?:[^"]|"")*"', '', 'g') else line end as bare
      from {{ read }})),
    counts as (select *, strlen(bare) - strlen(replace(bare, '{{ delimiter }}', '')) as delimiters from parts),
    found as (
      select count(*) as lines, sum(bytes) as bytes, max(bytes) as longest, bool_or(has_nul) as has_nul, bool_and(is_plain) as is_plain,
        min(delimiters) as least, max(delimiters) as delimiters from counts)
    select lines, delimiters, (select line from {{ read }}, parallel=false) limit 1) as header,
      coalesce(size = bytes + lines * width - unended * width and longest < 100000 and lines > 1 and not has_nul and is_plain and least = delimiters, false) as certain
    from ends, found
  {% endset %}
  {% do return(sql) %}
{% endmacro %}


{# The kind of each column by its name: the whole file is looked at only for columns that the first rows leave open (DuckDB reads on one
   thread to a limit). Each value is put into one of the classes null 1, whole number 2, number with decimals 4, date 8, date-time 16, ISO
   date-time 32, boolean 64, text 256 (no other type takes it), and 128 when that is not certain. Values of two classes make a column of
   text. #}
{% macro _seed_kinds(names, node, seed) %}
  {% set kinds, open, file, delimiter, rows = {}, {}, seed.file, seed.delimiter, seed.lines %}
  {% for name in names %}
    {% if name in node.config.column_types %}{% do kinds.update({name: 'text'}) %}{% else %}{% do open.update({name: loop.index0}) %}{% endif %}
  {% endfor %}
  {% for limit in ([1000, none] if rows > 1000 else [none]) if open %}
    {% set sql %}
      {%- set date, time = '[0-9]{4}-[0-9]{2}-[0-9]{2}', '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]' %}
      select n
      {%- for place in open.values() %}, case
        when m{{ place }} & 256 > 0 or (m{{ place }} & 6 > 0)::int + bit_count(m{{ place }} & 120) > 1 then 'text' when m{{ place }} & 128 > 0 then 'unknown'
        when m{{ place }} & 8 > 0 then 'date' when m{{ place }} & 16 > 0 then 'datetime' when m{{ place }} & 32 > 0 then 'iso' when m{{ place }} & 64 > 0 then 'boolean'
        when m{{ place }} & 4 > 0 then 'decimal' else 'integer' end as k{{ place }}
      {%- endfor %}
      from (select count(*) as n
      {%- for place in open.values() %}{% set c = 'c' ~ place %}, bit_or(case
        when {{ c }} is null then 1
        when regexp_full_match({{ c }}, '{{ date }}') then if(try_cast({{ c }} as date) is null or {{ c }} < '0001', 128, 8)
        when regexp_full_match({{ c }}, '[-+]?[0-9]{1,27}(?:[.]0{0,20})?') then 2
        when regexp_full_match({{ c }}, '[-+]?(?:[0-9]{0,8}[.][0-9]{0,19}[1-9]0{0,5}|[0-9]{9,18}[.][0-9]{0,8}[1-9]0{0,5}|[1-9](?:[.][0-9]{1,20})?[eE]-0?[1-9][0-9]?)') then 4
        when regexp_full_match({{ c }}, '{{ date }} {{ time }}') then if(try_cast({{ c }} as timestamp) is null or {{ c }} < '0001', 128, 16)
        when regexp_full_match({{ c }}, '{{ date }}T{{ time }}(?:[.][0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?')
          then if(try_cast(substr({{ c }}, 1, 10) as date) is null or {{ c }} < '0001', 128, 32)
        when lower({{ c }}) in ('true', 'false') then 64
        when lower(trim({{ c }}, ' ' || chr(9))) in ('', 'null') then 1
        when regexp_matches({{ c }}, '[bcdghjkmopqvxBCDGHJKMOPQVX!"#&''()*/;<=>?@\[\]^`{|}~\\À-ÖØ-öø-ƑƓ-ɏΑ-ϿА-ӿ一-鿿ぁ-ヿ가-힣]') then 256
        when regexp_full_match({{ c }}, '[A-Za-z](?:[A-Za-z .-]*[A-Za-z.-])?') and lower({{ c }}) not in ('inf', 'infinity', 'nan', 'snan') then 256
        when regexp_full_match({{ c }}, '[a-hj-mo-rt-zA-HJ-MO-RT-Z](?:[A-Za-z0-9 .:-]*[A-Za-z0-9.:-])?|[0-9]+-[0-9]+|[0-9]+(?:-[0-9]+){3,}|(?:[0-9]{1,3}|[0-9]{5,})-[0-9]+-[0-9]+|[0-9]+:[0-9:]+|[0-9]+[.][0-9]+[.][0-9.]*') then 256
        else 128 end) as m{{ place }}
      {%- endfor %}
      from (select * from read_csv('{{ file }}', columns={ {%- for place in range(names | length) %}'c{{ place }}': 'VARCHAR'{% if not loop.last %}, {% endif %}{% endfor -%} },
        delim='{{ delimiter }}', quote='"', escape='"', header=true, auto_detect=false, ignore_errors=true){% if limit %} limit {{ limit }}{% endif %}))
    {% endset %}
    {% set found = run_query(sql).rows[0] %}
    {% if found['n'] != (limit or rows) %}{% do return(none) %}{% endif %}
    {% for name, place in dict(open).items() %}
      {% do kinds.update({name: found['k' ~ place]}) %}
      {% if found['k' ~ place] == 'text' %}{% do open.pop(name) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {% do return(kinds) %}
{% endmacro %}
