{#
  The lock of adapters that have no better one: a row per schema in the table dbt_selfheal_lock.

  Each change of holder raises the row's token. A holder refreshes its heartbeat, and so its expiry, before each node and
  in the very transaction that publishes the node: one that was presumed dead, and comes back, finds another token there,
  and its transaction is rolled back.
#}

{# Try to take a schema's row: free, or expired. #}
{% macro _try_lock_row(lock, schema) %}
  {% set table, name = dbt_selfheal._lock_table(), dbt_selfheal._literal(schema) %}
  {% do dbt_selfheal._execute('create table if not exists ' ~ table ~ ' (lock_name varchar(255), owner varchar(255), token integer, '
    ~ 'acquired_at varchar(32), heartbeat_at varchar(32), expires_at varchar(32))') %}
  {% do dbt_selfheal._execute('insert into ' ~ table ~ ' select ' ~ name ~ ", null, 0, null, null, null where not exists (select 1 from " ~ table
    ~ ' where lock_name = ' ~ name ~ ')') %}
  {% do dbt_selfheal._execute('update ' ~ table ~ ' set owner = ' ~ dbt_selfheal._literal(lock.owner) ~ ', token = token + 1, acquired_at = '
    ~ dbt_selfheal._moment(0) ~ ', heartbeat_at = ' ~ dbt_selfheal._moment(0) ~ ', expires_at = ' ~ dbt_selfheal._moment(dbt_selfheal._lock_expiry())
    ~ ' where lock_name = ' ~ name ~ ' and (owner is null or expires_at < ' ~ dbt_selfheal._moment(0) ~ ')') %}
  {% set row = dbt_selfheal._fetch('select owner, token from ' ~ table ~ ' where lock_name = ' ~ name)[0] %}
  {% do lock.setdefault('tokens', {}).update({schema: row[1]}) %}
  {% do return(row[0] == lock.owner) %}
{% endmacro %}


{# Refresh the heartbeat of the rows held; an error when one was taken over by another.
   in_transaction: part of the running transaction (the last post-hook of a node), or in one of its own (before a node).
   Returns '' (a hook without SQL). #}
{% macro _fence(lock, in_transaction=true) %}
  {% for schema in lock.held if lock.kind == 'table' %}
    {% set mine = ' where lock_name = ' ~ dbt_selfheal._literal(schema) ~ ' and owner = ' ~ dbt_selfheal._literal(lock.owner) ~ ' and token = ' ~ lock.tokens[schema] %}
    {% do adapter.execute('update ' ~ dbt_selfheal._lock_table() ~ ' set heartbeat_at = ' ~ dbt_selfheal._moment(0) ~ ', expires_at = '
      ~ dbt_selfheal._moment(dbt_selfheal._lock_expiry()) ~ mine, auto_begin=true, fetch=false) %}
    {% set held = dbt_selfheal._fetch('select 1 from ' ~ dbt_selfheal._lock_table() ~ mine) %}
    {% if not in_transaction %}{% do adapter.commit() %}{% endif %}
    {% if not held %}
      {% do dbt_selfheal._raise('another initialization took over schema ' ~ schema ~ ', as this one had not been heard of for '
        ~ dbt_selfheal._lock_expiry() ~ ' s.\nNothing of the current node is kept. Run the same command again.') %}
    {% endif %}
  {% endfor %}
  {% do return('') %}
{% endmacro %}


{% macro _unlock_row(lock, schema) %}
  {% do dbt_selfheal._execute('update ' ~ dbt_selfheal._lock_table() ~ ' set owner = null, expires_at = null where lock_name = '
    ~ dbt_selfheal._literal(schema) ~ ' and owner = ' ~ dbt_selfheal._literal(lock.owner)) %}
{% endmacro %}


{% macro _lock_row_holder(lock, schema) %}
  {% if not dbt_selfheal._names_in_schema(dbt_selfheal._own_relation('dbt_selfheal_lock').without_identifier()).get('dbt_selfheal_lock') %}
    {% do return(none) %}
  {% endif %}
  {% set rows = dbt_selfheal._fetch('select owner, acquired_at, heartbeat_at from ' ~ dbt_selfheal._lock_table() ~ ' where owner is not null and lock_name = '
    ~ dbt_selfheal._literal(schema)) %}
  {% if not rows %}{% do return(none) %}{% endif %}
  {% do return('invocation ' ~ rows[0][0] ~ ' since ' ~ rows[0][1] ~ ', last heard of ' ~ rows[0][2]) %}
{% endmacro %}


{# The lock table, quoted; in the package's own schema. #}
{% macro _lock_table() %}
  {% do return(dbt_selfheal._own_relation('dbt_selfheal_lock') | string) %}
{% endmacro %}


{# Seconds after which a holder that is not heard of is presumed dead: longer than any single node should take. #}
{% macro _lock_expiry() %}
  {% do return(900) %}
{% endmacro %}


{# A relation of the package's own: in the setting `schema`, by default the target's. #}
{% macro _own_relation(name) %}
  {% do return(api.Relation.create(database=target.database, schema=dbt_selfheal._settings().schema or target.schema, identifier=name, type='table')) %}
{% endmacro %}


{# The time some seconds from now, as an SQL text that sorts as time does. #}
{% macro _moment(seconds) %}
  {% do return("'" ~ dbt_selfheal._iso(dbt_selfheal._now() + modules.datetime.timedelta(seconds=seconds)) ~ "'") %}
{% endmacro %}


{# A text as an SQL literal. #}
{% macro _literal(text) %}
  {% do return(dbt.string_literal(dbt.escape_single_quotes(text))) %}
{% endmacro %}


{# Run a statement in a transaction of its own. #}
{% macro _execute(sql) %}
  {% do adapter.execute(sql, auto_begin=true, fetch=false) %}
  {% do adapter.commit() %}
{% endmacro %}
