{#
  What the database has: kinds, columns, keys and indexes, read from its own catalog, one reader for each adapter.
#}

{# The relations of some schemas: {'database.schema.name' in lower case: relation}, a relation being
     {kind: table or view, columns: {name in lower case: {name, type, nullable}},
      keys: [{type: primary_key, unique, foreign_key or check, columns}], indexes: [{name, columns, unique}]}
   with the names in keys and indexes in lower case; an index that is not over plain columns has none. places: {(database, schema): relation of the schema}. views: whether to
   read the columns of views, which SQLite cannot of one over a table that is gone. #}
{% macro _catalog(places, views=true) %}
  {% set found = {} %}
  {% for place, schema in places.items() %}
    {% for name, kind in dbt_selfheal._names_in_schema(schema).items() %}
      {% do found.update({dbt_selfheal_database._catalog_key(place[0], place[1], name): {
        'kind': 'view' if 'view' in kind | lower else 'table', 'columns': {}, 'keys': [], 'indexes': []}}) %}
    {% endfor %}
    {% for relation, row in dbt_selfheal_database._with_keys(place, dbt_selfheal_database._catalog_columns(place[0], place[1], views)) %}
      {% do found.get(relation, {'columns': {}}).columns.update({row[1] | lower: {'name': row[1], 'type': row[2], 'nullable': row[3] | int == 1}}) %}
    {% endfor %}
    {% for relation, row in dbt_selfheal_database._with_keys(place, dbt_selfheal_database._catalog_keys(place[0], place[1], views)) %}
      {% do found.get(relation, {'keys': []})['keys'].append({'type': row[1], 'columns': dbt_selfheal_database._lower_names(row[2])}) %}
    {% endfor %}
    {% for relation, row in dbt_selfheal_database._with_keys(place, dbt_selfheal_database._catalog_indexes(place[0], place[1], views)) %}
      {% do found.get(relation, {'indexes': []}).indexes.append({'name': row[1], 'unique': row[2] | int == 1, 'columns': dbt_selfheal_database._lower_names(row[3] or '')}) %}
    {% endfor %}
  {% endfor %}
  {% do return(found) %}
{% endmacro %}


{% macro _catalog_key(database, schema, name) %}
  {% do return((database or '') | lower ~ '.' ~ schema | lower ~ '.' ~ name | lower) %}
{% endmacro %}


{# Rows of one of the three readers below, each with the key of its relation; the first column is the relation's name. #}
{% macro _with_keys(place, rows) %}
  {% set keyed = [] %}
  {% for row in rows %}{% do keyed.append((dbt_selfheal_database._catalog_key(place[0], place[1], row[0]), row)) %}{% endfor %}
  {% do return(keyed) %}
{% endmacro %}


{# A list of names (which dbt hands over as JSON), or SQL with names between commas, in lower case and without quotes. #}
{% macro _lower_names(text) %}
  {% set names = fromjson(text) if text.startswith('[') else modules.re.findall('"(?:""|[^"])*"|[^\\s,"]+', text) %}
  {% do return(names | map('lower') | map('replace', '"', '') | list) %}
{% endmacro %}


{# Rows (relation, column, type, nullable as 1 or 0), in the order of the columns. #}
{% macro _catalog_columns(database, schema, views) %}
  {% do return(adapter.dispatch('_catalog_columns', 'dbt_selfheal_database')(database, schema, views)) %}
{% endmacro %}

{% macro default___catalog_columns(database, schema, views) %}
  {% do dbt_selfheal._raise('the catalog of ' ~ adapter.type() ~ ' cannot be read: schemas are compared on duckdb, postgres and sqlite.') %}
{% endmacro %}

{% macro duckdb___catalog_columns(database, schema, views) %}
  {% do return(dbt_selfheal._fetch('select table_name, column_name, data_type, case when is_nullable then 1 else 0 end from duckdb_columns()'
    ~ dbt_selfheal_database._duckdb_place(database, schema) ~ ' and not internal order by table_name, column_index')) %}
{% endmacro %}

{% macro postgres___catalog_columns(database, schema, views) %}
  {% do return(dbt_selfheal._fetch('select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 0 else 1 end '
    ~ 'from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attnum > 0 and not a.attisdropped'
    ~ " and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relnamespace = to_regnamespace(" ~ dbt_selfheal._literal(adapter.quote(schema)) ~ ') order by c.relname, a.attnum')) %}
{% endmacro %}

{% macro sqlite___catalog_columns(database, schema, views) %}
  {% do return(dbt_selfheal._fetch('select m.name, x.name, x.type, case when x."notnull" or (x.pk and lower(x.type) = \'integer\') then 0 else 1 end from '
    ~ adapter.quote(schema) ~ '.sqlite_master m join pragma_table_xinfo(m.name, ' ~ dbt_selfheal._literal(schema) ~ ") x where m.type in ('table'"
    ~ (", 'view'" if views else '') ~ ') order by m.name, x.cid')) %}
{% endmacro %}


{# Rows (relation, type, columns). #}
{% macro _catalog_keys(database, schema, views) %}
  {% do return(adapter.dispatch('_catalog_keys', 'dbt_selfheal_database')(database, schema, views)) %}
{% endmacro %}

{% macro default___catalog_keys(database, schema, views) %}{% do return([]) %}{% endmacro %}

{% macro duckdb___catalog_keys(database, schema, views) %}
  {% do return(dbt_selfheal._fetch("select table_name, lower(replace(constraint_type, ' ', '_')), constraint_column_names from duckdb_constraints()"
    ~ dbt_selfheal_database._duckdb_place(database, schema) ~ " and constraint_type <> 'NOT NULL'")) %}
{% endmacro %}

{% macro postgres___catalog_keys(database, schema, views) %}
  {% do return(dbt_selfheal._fetch("select c.relname::text, case k.contype when 'p' then 'primary_key' when 'u' then 'unique' when 'f' then 'foreign_key' else 'check' end, "
    ~ 'array(select a.attname::text from unnest(k.conkey) with ordinality n(number, place) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.number order by n.place) '
    ~ "from pg_constraint k join pg_class c on c.oid = k.conrelid where k.contype in ('p', 'u', 'f', 'c') and c.relnamespace = to_regnamespace("
    ~ dbt_selfheal._literal(adapter.quote(schema)) ~ ')')) %}
{% endmacro %}

{# dbt makes no keys on SQLite. #}
{% macro sqlite___catalog_keys(database, schema, views) %}{% do return([]) %}{% endmacro %}


{# Rows (relation, name, unique as 1 or 0, columns), without those that only serve a key. columns is null or empty where the
   index has an expression, a condition, or an order or operators of its own: no two databases write these alike. #}
{% macro _catalog_indexes(database, schema, views) %}
  {% do return(adapter.dispatch('_catalog_indexes', 'dbt_selfheal_database')(database, schema, views)) %}
{% endmacro %}

{% macro default___catalog_indexes(database, schema, views) %}{% do return([]) %}{% endmacro %}

{% macro duckdb___catalog_indexes(database, schema, views) %}
  {% set name = '(?:"(?:""|[^"])*"|[^\\s,"()]+)' %}
  {% do return(dbt_selfheal._fetch("select table_name, index_name, case when is_unique then 1 else 0 end, regexp_extract(sql, '[(](" ~ name ~ '(?:, ' ~ name ~ ")*)[)];?$', 1) "
    ~ 'from duckdb_indexes()' ~ dbt_selfheal_database._duckdb_place(database, schema))) %}
{% endmacro %}

{% macro postgres___catalog_indexes(database, schema, views) %}
  {% do return(dbt_selfheal._fetch('select c.relname::text, i.relname::text, case when x.indisunique then 1 else 0 end, '
    ~ 'case when x.indpred is null and not exists (select from generate_series(0, x.indnkeyatts - 1) n join pg_opclass o on o.oid = x.indclass[n] '
    ~ 'left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[n] '
    ~ 'where a.attnum is null or x.indoption[n] <> 0 or not o.opcdefault or x.indcollation[n] <> a.attcollation) '
    ~ 'then array(select a.attname::text from generate_series(0, x.indnkeyatts - 1) n join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[n] order by n) end '
    ~ 'from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid where x.indisvalid and c.relnamespace = to_regnamespace('
    ~ dbt_selfheal._literal(adapter.quote(schema)) ~ ') and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.conrelid = x.indrelid)')) %}
{% endmacro %}

{% macro sqlite___catalog_indexes(database, schema, views) %}
  {% do return(dbt_selfheal._fetch('select m.name, l.name, l."unique", case when count(i.name) = count(*) and not max(i."desc") and not l.partial then json_group_array(i.name) end from ' ~ adapter.quote(schema) ~ '.sqlite_master m join pragma_index_list(m.name, '
    ~ dbt_selfheal._literal(schema) ~ ') l join pragma_index_xinfo(l.name, ' ~ dbt_selfheal._literal(schema) ~ ") i where m.type = 'table' and l.origin = 'c' and i.key group by 1, 2, 3")) %}
{% endmacro %}


{% macro _duckdb_place(database, schema) %}
  {% do return(' where lower(database_name) = lower(' ~ dbt_selfheal._literal(database) ~ ') and lower(schema_name) = lower(' ~ dbt_selfheal._literal(schema) ~ ')') %}
{% endmacro %}
