{#
  SQLite. Python's sqlite3 opens a transaction of its own for each statement that writes. A bare value takes the affinity of the
  column that it is compared with. dbt makes no keys and no indexes there, and enforces no contract.
#}

{% macro sqlite___traits() %}
  {% do return(dict(dbt_selfheal_database.default___traits(), transactional_ddl=true, driver_begins=true, reads_catalog=true, hides_values=true, casts_keys=false,
    enforces_contracts=false, version='select sqlite_version()', bytes='select page_count * page_size from pragma_page_count(), pragma_page_size()')) %}
{% endmacro %}


{# It cannot read the columns of a view over a table that is gone. #}
{% macro sqlite___read_catalog(database, schema, views) %}
  {% set place, name = ' from ' ~ adapter.quote(schema) ~ '.sqlite_master m join ', dbt_selfheal._literal(schema) %}
  {% do return({
    'columns': dbt_selfheal._fetch('select m.name, x.name, x.type, case when x."notnull" or (x.pk and lower(x.type) = \'integer\') then 0 else 1 end'
      ~ place ~ 'pragma_table_xinfo(m.name, ' ~ name ~ ") x where m.type in ('table'" ~ (", 'view'" if views else '') ~ ') order by m.name, x.cid'),
    'keys': [],
    'indexes': dbt_selfheal._fetch('select m.name, l.name, l."unique", '
      ~ 'case when count(i.name) = count(*) and not max(i."desc") and not l.partial then json_group_array(i.name) end' ~ place
      ~ 'pragma_index_list(m.name, ' ~ name ~ ') l join pragma_index_xinfo(l.name, ' ~ name
      ~ ") i where m.type = 'table' and l.origin = 'c' and i.key group by 1, 2, 3")}) %}
{% endmacro %}


{# SQLite takes any name for a type; what counts is the affinity that the name gives a column. #}
{% macro sqlite___type_names(names) %}
  {% for type in names %}{% do names.update({type: dbt_selfheal_database._sqlite_affinity(type)}) %}{% endfor %}
  {% do return(names) %}
{% endmacro %}


{# The affinity of a type's name, by the rules of https://sqlite.org/datatype3.html, in their order. #}
{% macro _sqlite_affinity(type) %}
  {% set name = type | upper %}
  {% do return('INTEGER' if 'INT' in name else 'TEXT' if 'CHAR' in name or 'CLOB' in name or 'TEXT' in name else 'BLOB' if 'BLOB' in name
    else 'REAL' if 'REAL' in name or 'FLOA' in name or 'DOUB' in name else 'NUMERIC') %}
{% endmacro %}


{# A column of a table that a query has made may have no type at all, and then takes every value as it is. #}
{% macro sqlite___same_type(declared, name, found) %}
  {% do return(not found or name == dbt_selfheal_database._sqlite_affinity(found)) %}
{% endmacro %}


{# Its index has the schema, its table not. #}
{% macro sqlite___create_index_sql(relation, index) %}
  {% set name = adapter.quote(relation.identifier ~ '_' ~ local_md5(index | string)[:12]) %}
  {% do return('create ' ~ ('unique ' if index.get('unique') else '') ~ 'index ' ~ adapter.quote(relation.schema) ~ '.' ~ name ~ ' on ' ~ adapter.quote(relation.identifier)
    ~ ' (' ~ index['columns'] | join(', ') ~ ')') %}
{% endmacro %}


{# SQLite's errors name columns, never values. #}
{% macro sqlite___insert_secret_row(table, row) %}
  {% do adapter.add_query('select 1')[1].execute(dbt_selfheal_database._insert_sql(table, [row]), dbt_selfheal_database._row_bindings([row])) %}
{% endmacro %}
