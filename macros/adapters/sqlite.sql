{# SQLite: it has neither dates nor booleans. #}

{% macro sqlite___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'sqlite', 'transactions': 'dbt', 'names': {'macro': 'list_relations_without_caching', 'name': 1, 'type': 3}, 'looks_again': false,
    'seed_rows': {'macro': 'sqlite__load_csv_rows', 'holds': 'adapter.transform_seed_row(row)', 'batch': 10000, 'transform': adapter.transform_seed_row},
    'try_lock': context['dbt_selfheal']['_lock_sqlite_file'], 'unlock': 'detach dbt_selfheal_lock',
    'typed_values': "select 1 as i, 1.5 as n, '2000-01-01' as d, '2000-01-01 00:00:00' as t, 1 as b, 'a' as raw, 'a' as txt"})) %}
{% endmacro %}


{# An exclusive lock on a file beside the database, held by the connection: one for all schemas. SQLite itself does the waiting, and
   raises an error when the time is over. The write is the first statement that reads the file, so that a waiting connection lets go
   of it between two tries; only then is the mode set in which the lock that the write took outlives the commit, until the file is
   detached or the connection ends. (In that mode two that wait would hold what the other waits for.) #}
{% macro _lock_sqlite_file(lock) %}
  {% do dbt_selfheal._discard_open_transaction() %}  {# of an operation, in which dbt begins one #}
  {% set failure = 'dbt_selfheal: another initialization is running on this database.\nGave up after ' ~ lock.timeout_seconds
    ~ ' s. Run the same command again when it is done, or raise vars.dbt_selfheal.lock_timeout_seconds.' %}
  {% set file = dbt_selfheal._literal(adapter.config.credentials.schema_directory ~ '/dbt_selfheal.lock') %}
  {% do dbt_selfheal._fetch('pragma busy_timeout = ' ~ (lock.timeout_seconds * 1000) | int) %}
  {% do try_or_compiler_error(failure, adapter.execute, 'attach ' ~ file ~ ' as dbt_selfheal_lock', auto_begin=false, fetch=false) %}
  {% do dbt_selfheal._fetch('begin') %}
  {% do try_or_compiler_error(failure, adapter.execute, 'pragma dbt_selfheal_lock.user_version = 1', auto_begin=false, fetch=false) %}
  {% do dbt_selfheal._fetch('pragma dbt_selfheal_lock.locking_mode = exclusive') %}
  {% do try_or_compiler_error(failure, adapter.execute, 'commit', auto_begin=false, fetch=false) %}
  {% do dbt_selfheal._fetch('pragma busy_timeout = 5000') %}
  {% do lock.update({'whole': true}) %}
  {% do return(true) %}
{% endmacro %}
