{#
  One initializer at a time, without the wrapper (FR-008). Taken only when something is missing. Every lock here dies with
  its holder: none needs an expiry, a heartbeat or a clean-up (docs/decisions/0004).

    PostgreSQL     a session-level advisory lock per schema, the target's always among them
    SQLite         an exclusive lock on a file beside the database, held by the connection
    DuckDB         none: the database file has one writing process at a time by itself
    any other      none (Spark has no statement that only one session can win)
#}

{# Take the lock, waiting up to lock_timeout_seconds; an error names the holder where the database knows it.
   schemas: list of names of the schemas to be built in; the target's is always locked too, for initialization_status looks there.
   Returns the lock, a dict for _release_lock; its 'waited' says whether another was seen to hold it before. #}
{% macro _acquire_lock(settings, schemas=none) %}
  {% set step = dbt_selfheal._step_started('acquire_lock') %}
  {% set deadline = dbt_selfheal._now() + modules.datetime.timedelta(seconds=settings.lock_timeout_seconds) %}
  {% set lock = {'kind': dbt_selfheal._lock_kind(), 'held': [], 'waited': false, 'timeout_seconds': settings.lock_timeout_seconds} %}
  {% if lock.kind != 'none' %}
    {% for schema in ((schemas or []) | list + [target.schema]) | unique | sort %}
      {% do dbt_selfheal._wait_for_lock(lock, schema, deadline) %}
    {% endfor %}
  {% endif %}
  {% do dbt_selfheal._step_complete(step) %}
  {% do return(lock) %}
{% endmacro %}


{# Take the lock of one schema, or wait for it. #}
{% macro _wait_for_lock(lock, schema, deadline) %}
  {% for attempt in range(100000) %}
    {% if dbt_selfheal._try_lock(lock, schema) %}
      {% do lock.held.append(schema) %}
      {% do return(none) %}
    {% endif %}
    {% if dbt_selfheal._now() >= deadline %}
      {% set holder = dbt_selfheal._lock_holder(schema) %}
      {% do dbt_selfheal._release_lock(lock) %}
      {% do dbt_selfheal._raise(dbt_selfheal._lock_timeout_text(lock, 'on schema ' ~ schema ~ (': ' ~ holder if holder else ''))) %}
    {% endif %}
    {% if not lock.waited %}
      {% do lock.update({'waited': true}) %}
      {% do dbt_selfheal._line('Self-healing: waiting for another initialization of schema ' ~ schema ~ ' (up to ' ~ lock.timeout_seconds ~ ' s)') %}
    {% endif %}
    {% do dbt_selfheal._sleep() %}
  {% endfor %}
{% endmacro %}


{% macro _lock_timeout_text(lock, where) %}
  {% do return('another initialization is running ' ~ where ~ '.\nGave up after ' ~ lock.timeout_seconds
    ~ ' s. Run the same command again when it is done, or raise vars.dbt_selfheal.lock_timeout_seconds.') %}
{% endmacro %}


{# Give the lock back. #}
{% macro _release_lock(lock) %}
  {% for schema in lock.held %}{% do dbt_selfheal._unlock(lock, schema) %}{% endfor %}
  {% do lock.held.clear() %}
{% endmacro %}


{# What kind of lock the adapter has: advisory, file or none. #}
{% macro _lock_kind() %}
  {% do return(adapter.dispatch('_lock_kind', 'dbt_selfheal')()) %}
{% endmacro %}

{% macro default___lock_kind() %}{% do return('none') %}{% endmacro %}
{% macro postgres___lock_kind() %}{% do return('advisory') %}{% endmacro %}
{% macro redshift___lock_kind() %}{% do return('none') %}{% endmacro %}  {# dbt would call PostgreSQL's #}
{% macro sqlite___lock_kind() %}{% do return('file') %}{% endmacro %}


{# Try once to take the lock of a schema; true when it is held. #}
{% macro _try_lock(lock, schema) %}
  {% do return(adapter.dispatch('_try_lock', 'dbt_selfheal')(lock, schema)) %}
{% endmacro %}

{% macro default___try_lock(lock, schema) %}
  {% do dbt_selfheal._raise('there is no lock for ' ~ adapter.type()) %}
{% endmacro %}

{# Without the setting (PostgreSQL 14 and later) a server notices only at the end of a statement that its client is gone, and
   a killed run would hold the lock until then. So it is set for as long as any lock is held, and a little longer. #}
{% macro postgres___try_lock(lock, schema) %}
  {% if 'checked' not in lock %}
    {% do lock.update({'checked': dbt_selfheal._fetch("select set_config(name, '1000', false) from pg_settings "
      ~ "where name = 'client_connection_check_interval' and setting = '0' and version() like '%linux%'") | length > 0}) %}
  {% endif %}
  {% do return(dbt_selfheal._fetch('select pg_try_advisory_lock(' ~ dbt_selfheal._advisory_key(schema) ~ ')')[0][0]) %}
{% endmacro %}

{# One file for all schemas. SQLite itself does the waiting, and raises an error when the time is over. The write is the first
   statement that reads the file, so that a waiting connection lets go of it between two tries; only then is the mode set in
   which the lock that the write took outlives the commit, until the file is detached or the connection ends. (In that mode
   two that wait would hold what the other waits for.) #}
{% macro sqlite___try_lock(lock, schema) %}
  {% if not lock.held %}
    {% do dbt_selfheal._discard_open_transaction() %}  {# of an operation, in which dbt begins one #}
    {% set failure = 'dbt_selfheal: ' ~ dbt_selfheal._lock_timeout_text(lock, 'on this database') %}
    {% set file = dbt_selfheal._literal(adapter.config.credentials.schema_directory ~ '/dbt_selfheal.lock') %}
    {% do dbt_selfheal._fetch('pragma busy_timeout = ' ~ (lock.timeout_seconds * 1000) | int) %}
    {% do try_or_compiler_error(failure, adapter.execute, 'attach ' ~ file ~ ' as dbt_selfheal_lock', auto_begin=false, fetch=false) %}
    {% do dbt_selfheal._fetch('begin') %}
    {% do try_or_compiler_error(failure, adapter.execute, 'pragma dbt_selfheal_lock.user_version = 1', auto_begin=false, fetch=false) %}
    {% do dbt_selfheal._fetch('pragma dbt_selfheal_lock.locking_mode = exclusive') %}
    {% do try_or_compiler_error(failure, adapter.execute, 'commit', auto_begin=false, fetch=false) %}
    {% do dbt_selfheal._fetch('pragma busy_timeout = 5000') %}
  {% endif %}
  {% do return(true) %}
{% endmacro %}


{% macro _unlock(lock, schema) %}
  {% do adapter.dispatch('_unlock', 'dbt_selfheal')(lock, schema) %}
{% endmacro %}

{% macro default___unlock(lock, schema) %}
  {% do dbt_selfheal._raise('there is no lock for ' ~ adapter.type()) %}
{% endmacro %}

{% macro postgres___unlock(lock, schema) %}
  {% do dbt_selfheal._fetch('select pg_advisory_unlock(' ~ dbt_selfheal._advisory_key(schema) ~ ')') %}
  {% if lock.checked and schema == lock.held | last %}{% do dbt_selfheal._fetch("select set_config('client_connection_check_interval', '0', false)") %}{% endif %}
{% endmacro %}

{% macro sqlite___unlock(lock, schema) %}
  {% if 'dbt_selfheal_lock' in dbt_selfheal._fetch('pragma database_list') | map(attribute=1) %}
    {% do dbt_selfheal._fetch('detach dbt_selfheal_lock') %}
  {% endif %}
{% endmacro %}


{# Who holds the lock of a schema, and since when, as text; none when nobody does or the database does not tell. #}
{% macro _lock_holder(schema) %}
  {% do return(adapter.dispatch('_lock_holder', 'dbt_selfheal')(schema)) %}
{% endmacro %}

{% macro default___lock_holder(schema) %}
  {% do return(none) %}
{% endmacro %}

{% macro redshift___lock_holder(schema) %}
  {% do return(none) %}
{% endmacro %}

{% macro postgres___lock_holder(schema) %}
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

{% macro default___sleep() %}
  {% do dbt_selfheal._raise('there is no lock to wait for on ' ~ adapter.type()) %}
{% endmacro %}

{% macro postgres___sleep() %}
  {% do dbt_selfheal._fetch('select pg_sleep(0.2)') %}
{% endmacro %}


{# The rows of a query, outside of any transaction of dbt's. #}
{% macro _fetch(sql) %}
  {% do return(adapter.execute(sql, auto_begin=false, fetch=true)[1].rows) %}
{% endmacro %}


{# A text as an SQL literal. #}
{% macro _literal(text) %}
  {% do return(dbt.string_literal(dbt.escape_single_quotes(text))) %}
{% endmacro %}


{# A relation of the package's own: in the setting `schema`, by default the target's. (The settings are not read when dbt
   parses the models of the history, which would be parsed again whenever the environment variable of the off switch changes.) #}
{% macro _own_relation(name) %}
  {% do return(api.Relation.create(database=target.database, schema=(execute and dbt_selfheal._settings().schema) or target.schema, identifier=name, type='table')) %}
{% endmacro %}
