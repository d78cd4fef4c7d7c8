{#
  One initializer at a time, without the wrapper (FR-008). Taken only when something is missing.

    PostgreSQL     a session-level advisory lock per schema: the server frees it when its holder dies
    DuckDB         none: the database file has one writing process at a time by itself
    Spark          none: it has no statement that only one session can win; see docs/reliability.md
    any other      a row in a lock table with owner, heartbeat, expiry and a fencing token (see lock_table.sql)
#}

{# Take the lock, waiting up to lock_timeout_seconds; an error names the holder.
   schemas: list of names of the schemas to be built in; the target's by default.
   Returns the lock, a dict for _release_lock; its 'waited' says whether another held it before. #}
{% macro _acquire_lock(settings, schemas=none) %}
  {% set step = dbt_selfheal._step_started('acquire_lock') %}
  {% set deadline = dbt_selfheal._now() + modules.datetime.timedelta(seconds=settings.lock_timeout_seconds) %}
  {% set lock = {'kind': dbt_selfheal._lock_kind(), 'schemas': (schemas or [target.schema]) | unique | sort, 'held': [], 'waited': false,
                 'owner': invocation_id, 'settings': settings} %}
  {% for schema in lock.schemas if lock.kind != 'none' %}
    {% do dbt_selfheal._lock_schema(lock, schema, deadline) %}
  {% endfor %}
  {% do dbt_selfheal._step_complete(step) %}
  {% do return(lock) %}
{% endmacro %}


{# Take the lock of one schema, or wait for it. #}
{% macro _lock_schema(lock, schema, deadline) %}
  {% for attempt in range(100000) %}
    {% if dbt_selfheal._try_lock(lock, schema) %}
      {% do lock.held.append(schema) %}
      {% do return(none) %}
    {% endif %}
    {% if dbt_selfheal._now() >= deadline %}
      {% do dbt_selfheal._release_lock(lock) %}
      {% do dbt_selfheal._raise('another initialization is running on schema ' ~ schema ~ ': ' ~ dbt_selfheal._lock_holder(lock, schema)
        ~ '.\nGave up after ' ~ lock.settings.lock_timeout_seconds ~ ' s. Run the same command again when it is done, or raise '
        ~ 'vars.dbt_selfheal.lock_timeout_seconds.') %}
    {% endif %}
    {% if not lock.waited %}
      {% do lock.update({'waited': true}) %}
      {% do dbt_selfheal._line('Self-healing: waiting for another initialization of schema ' ~ schema ~ ' (up to '
        ~ lock.settings.lock_timeout_seconds ~ ' s)') %}
    {% endif %}
    {% do dbt_selfheal._sleep() %}
  {% endfor %}
{% endmacro %}


{# Give the lock back. #}
{% macro _release_lock(lock) %}
  {% for schema in lock.held %}{% do dbt_selfheal._unlock(lock, schema) %}{% endfor %}
  {% do lock.held.clear() %}
{% endmacro %}


{# What kind of lock the adapter has: advisory, table or none. #}
{% macro _lock_kind() %}
  {% do return(adapter.dispatch('_lock_kind', 'dbt_selfheal')()) %}
{% endmacro %}

{% macro default___lock_kind() %}{% do return('table') %}{% endmacro %}
{% macro duckdb___lock_kind() %}{% do return('none') %}{% endmacro %}
{% macro spark___lock_kind() %}{% do return('none') %}{% endmacro %}
{% macro postgres___lock_kind() %}{% do return('advisory') %}{% endmacro %}


{# Try once to take the lock of a schema; true when it is held. #}
{% macro _try_lock(lock, schema) %}
  {% do return(adapter.dispatch('_try_lock', 'dbt_selfheal')(lock, schema)) %}
{% endmacro %}

{% macro default___try_lock(lock, schema) %}
  {% do return(dbt_selfheal._try_lock_row(lock, schema)) %}
{% endmacro %}

{% macro postgres___try_lock(lock, schema) %}
  {% do return(dbt_selfheal._fetch('select pg_try_advisory_lock(' ~ dbt_selfheal._advisory_key(schema) ~ ')')[0][0]) %}
{% endmacro %}


{% macro _unlock(lock, schema) %}
  {% do return(adapter.dispatch('_unlock', 'dbt_selfheal')(lock, schema)) %}
{% endmacro %}

{% macro default___unlock(lock, schema) %}
  {% do dbt_selfheal._unlock_row(lock, schema) %}
{% endmacro %}

{% macro postgres___unlock(lock, schema) %}
  {% do dbt_selfheal._fetch('select pg_advisory_unlock(' ~ dbt_selfheal._advisory_key(schema) ~ ')') %}
{% endmacro %}


{# Who holds the lock of a schema, and since when, as text; none when nobody does. #}
{% macro _lock_holder(lock, schema) %}
  {% do return(adapter.dispatch('_lock_holder', 'dbt_selfheal')(lock, schema)) %}
{% endmacro %}

{% macro default___lock_holder(lock, schema) %}
  {% do return(dbt_selfheal._lock_row_holder(lock, schema)) %}
{% endmacro %}

{% macro duckdb___lock_holder(lock, schema) %}
  {% do return(none) %}
{% endmacro %}

{% macro spark___lock_holder(lock, schema) %}
  {% do return(none) %}
{% endmacro %}

{% macro postgres___lock_holder(lock, schema) %}
  {% set rows = dbt_selfheal._fetch(
    "select a.pid, a.usename, coalesce(host(a.client_addr), 'this host'), extract(epoch from now() - a.backend_start)::int from pg_locks l "
    ~ "join pg_stat_activity a on a.pid = l.pid where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.database = "
    ~ '(select oid from pg_database where datname = current_database()) and (l.classid::bigint << 32) | l.objid::bigint = '
    ~ dbt_selfheal._advisory_key(schema)) %}
  {% if not rows %}{% do return(none) %}{% endif %}
  {% set row = rows[0] %}
  {% do return('backend pid ' ~ row[0] ~ ' of user ' ~ row[1] ~ ' from ' ~ row[2] ~ ', connected for ' ~ row[3] ~ ' s') %}
{% endmacro %}

{# The key of a schema's advisory lock; such locks belong to one database. #}
{% macro _advisory_key(schema) %}
  {% do return('hashtextextended(' ~ dbt_selfheal._literal('dbt_selfheal:' ~ schema) ~ ', 0)') %}
{% endmacro %}


{# Let a little time pass in the database: Jinja cannot sleep. #}
{% macro _sleep() %}
  {% do adapter.dispatch('_sleep', 'dbt_selfheal')() %}
{% endmacro %}

{% macro postgres___sleep() %}
  {% do dbt_selfheal._fetch('select pg_sleep(0.2)') %}
{% endmacro %}

{% macro default___sleep() %}
  {% do dbt_selfheal._fetch('with recursive ticks(n) as (select 1 union all select n + 1 from ticks where n < 300000) select max(n) from ticks') %}
{% endmacro %}


{# The rows of a query, outside of any transaction of dbt's. #}
{% macro _fetch(sql) %}
  {% do return(adapter.execute(sql, auto_begin=false, fetch=true)[1].rows) %}
{% endmacro %}
