{#
  PostgreSQL. dbt-postgres leaves the beginning of a transaction to psycopg2, which begins one by itself only as long as it has
  not seen a commit of dbt's (SQL text to it); after that nothing would be in a transaction. With `autocommit: true` in the
  profile there is none. Of a name without quotes it keeps the case of letters beyond ASCII.
#}

{% macro postgres___traits() %}
  {% do return(dict(dbt_selfheal_database.default___traits(), begin='begin', transactional_ddl=not adapter.config.credentials.autocommit, reads_catalog=true,
    hides_values=true, lowers_names=true, version='show server_version', bytes='select pg_database_size(current_database())')) %}
{% endmacro %}


{% macro postgres___read_catalog(database, schema, views) %}
  {% set place = 'to_regnamespace(' ~ dbt_selfheal._literal(adapter.quote(schema)) ~ ')' %}
  {% do return({
    'columns': dbt_selfheal._fetch('select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 0 else 1 end '
      ~ 'from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attnum > 0 and not a.attisdropped'
      ~ " and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relnamespace = " ~ place ~ ' order by c.relname, a.attnum'),
    'keys': dbt_selfheal._fetch("select c.relname::text, case k.contype when 'p' then 'primary_key' when 'u' then 'unique' when 'f' then 'foreign_key' else 'check' end, "
      ~ 'array(select a.attname::text from unnest(k.conkey) with ordinality n(number, place) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.number order by n.place) '
      ~ "from pg_constraint k join pg_class c on c.oid = k.conrelid where k.contype in ('p', 'u', 'f', 'c') and c.relnamespace = " ~ place),
    'indexes': dbt_selfheal._fetch('select c.relname::text, i.relname::text, case when x.indisunique then 1 else 0 end, '
      ~ 'case when x.indpred is null and not exists (select from generate_series(0, x.indnkeyatts - 1) n join pg_opclass o on o.oid = x.indclass[n] '
      ~ 'left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[n] '
      ~ 'where a.attnum is null or x.indoption[n] <> 0 or not o.opcdefault or x.indcollation[n] <> a.attcollation) '
      ~ 'then array(select a.attname::text from generate_series(0, x.indnkeyatts - 1) n join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[n] order by n) end '
      ~ 'from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid where x.indisvalid and c.relnamespace = '
      ~ place ~ ' and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.conrelid = x.indrelid)')}) %}
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


{# PostgreSQL's errors show the whole row. The values are handed over as settings of the transaction, and the block that
   uses them tells only the kind of error, the constraint and the column. #}
{% macro postgres___insert_secret_row(table, row) %}
  {% set handed, bindings, marks, arguments = [], [], [], [] %}
  {% for value in row['values'].values() %}
    {% do marks.append('null' if value is none else '%L') %}
    {% if value is not none %}
      {% set name = "'dbt_selfheal.value_" ~ loop.index ~ "'" %}
      {% do handed.append('set_config(' ~ name ~ ', %s, true)') %}
      {% do bindings.append(value | string) %}
      {% do arguments.append(', current_setting(' ~ name ~ ')') %}
    {% endif %}
  {% endfor %}
  {% do adapter.add_query('select 1')[1].execute('select ' ~ handed | join(', '), bindings) %}
  {% set insert = 'insert into ' ~ (table.relation | string).replace('%', '%%') ~ ' (' ~ dbt_selfheal_database._column_names(table, row).replace('%', '%%') ~ ') values ('
    ~ marks | join(', ') ~ ')' %}
  {% do adapter.add_query('do $selfheal$ declare c text; k text; begin execute format(' ~ dbt_selfheal._literal(insert) ~ arguments | join ~ ');\n'
    ~ 'exception when others then get stacked diagnostics c = column_name, k = constraint_name;\n'
    ~ 'raise exception using errcode = sqlstate, message = ' ~ dbt_selfheal._literal(table.origin ~ ': row ' ~ row.number ~ ' for ' ~ table.title
      ~ ' has values from the environment, and the database refused it (its own message might show them): SQLSTATE ')
    ~ " || sqlstate || case when k <> '' then ', constraint ' || k else '' end || case when c <> '' then ', column ' || c else '' end; end $selfheal$") %}
{% endmacro %}
