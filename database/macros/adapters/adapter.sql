{#
  What differs from one adapter to another. Each has one file in this folder, with its traits and the few macros that need SQL
  of its own; nothing outside of the folder names an adapter. A macro of an adapter that another one is derived from is dbt's
  choice too, unless the derived one has its own: so such a file says even what it has not.

  The traits:
    begin                what to send so that a transaction is open: dbt begins one before a statement, except where the driver does
    transactional_ddl    whether a transaction that fails takes back its DDL
    driver_begins        whether the driver opens a transaction of its own for a single statement that writes
    reads_catalog        whether schemas can be compared: the file has _read_catalog and _type_names
    hides_values         whether values from the environment can be inserted: the file has _insert_secret_row
    casts_keys           whether a bound value has to be cast to the type of the column that it is compared with
    enforces_contracts   whether dbt makes there what a contract says
    lowers_names         whether a name without quotes becomes one in lower case
    version, bytes       queries for the database's version and size, or none
#}

{% macro _traits() %}
  {% do return(adapter.dispatch('_traits', 'dbt_selfheal_database')()) %}
{% endmacro %}

{% macro default___traits() %}
  {% do return({
    'begin': 'select 1', 'transactional_ddl': false, 'driver_begins': false, 'reads_catalog': false, 'hides_values': false, 'casts_keys': true,
    'enforces_contracts': true, 'lowers_names': false, 'version': none, 'bytes': none}) %}
{% endmacro %}


{# What the catalog has of a schema: {columns: rows (relation, column, type, nullable as 1 or 0) in the order of the columns,
   keys: rows (relation, type, columns), indexes: rows (relation, name, unique as 1 or 0, columns)}. Types of keys: primary_key,
   unique, foreign_key, check. Indexes that only serve a key are left out; columns is null or empty where an index has an
   expression, a condition, or an order or operators of its own: no two databases write these alike.
   views: whether to read the columns of views. #}
{% macro _read_catalog(database, schema, views) %}
  {% do return(adapter.dispatch('_read_catalog', 'dbt_selfheal_database')(database, schema, views)) %}
{% endmacro %}


{# The database's own names of declared types: {type as declared: name, or none where the database does not know it}. #}
{% macro _type_names(types) %}
  {% set names = dict.fromkeys(types) %}
  {% do return(adapter.dispatch('_type_names', 'dbt_selfheal_database')(names) if names else names) %}
{% endmacro %}


{# Whether a column has the type that is declared, whose name in the database is `name`. A declared type without a length takes any. #}
{% macro _same_type(declared, name, found) %}
  {% do return(adapter.dispatch('_same_type', 'dbt_selfheal_database')(declared, name, found)) %}
{% endmacro %}

{% macro default___same_type(declared, name, found) %}
  {% set name, found, length = name | lower | replace(' ', ''), found | lower | replace(' ', ''), '[(][\\d,]+[)]' %}
  {% do return(name == found or ('(' not in declared and modules.re.sub(length, '', name) == modules.re.sub(length, '', found))) %}
{% endmacro %}


{# The SQL that makes an index: dbt's own, where dbt makes indexes. #}
{% macro _create_index_sql(relation, index) %}
  {% do return(adapter.dispatch('_create_index_sql', 'dbt_selfheal_database')(relation, index)) %}
{% endmacro %}

{% macro default___create_index_sql(relation, index) %}
  {% do return(get_create_index_sql(relation, index).strip()) %}
{% endmacro %}


{# Insert one row that has values from the environment, in the transaction that is open, so that no log and no error has them. #}
{% macro _insert_secret_row(table, row) %}
  {% do adapter.dispatch('_insert_secret_row', 'dbt_selfheal_database')(table, row) %}
{% endmacro %}
