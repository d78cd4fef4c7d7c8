{#
  baseline_migrations and repair_migrations: telling the history what the database already is.
#}

{# Record every pending migration up to a version as applied without running it: for a database that is older than its
   migrations. version: text, inclusive. #}
{% macro baseline_migrations(version) %}
  {% set settings = dbt_selfheal_database._settings() %}
  {% if dbt_selfheal_database._migrations_are_off(settings) %}{% do return(none) %}{% endif %}
  {% set lock = dbt_selfheal_database._migration_lock(settings) %}
  {% set pending = dbt_selfheal_database._pending_migrations(dbt_selfheal_database._migration_status(settings), version) %}
  {% set now = dbt_selfheal._iso(dbt_selfheal._now()) %}
  {% if pending %}
    {% do dbt_selfheal_database._create_history() %}
    {% do adapter.add_query(dbt_selfheal_database._traits().begin) %}
  {% endif %}
  {% for migration in pending %}
    {% do adapter.add_query(dbt_selfheal_database._history_insert_sql(dict(migration, attempt=migration.attempt + 1), 'baseline', {
      'started_at': now, 'completed_at': now, 'duration_seconds': 0, 'success': true})) %}
  {% endfor %}
  {% if pending %}{% do adapter.commit() %}{% endif %}
  {% do dbt_selfheal._release_lock(lock) %}
  {% do dbt_selfheal._emit('migrations_baselined', {'version': version | string, 'migrations': pending | map(attribute='macro') | list}) %}
  {% do dbt_selfheal._line('Migrations: ' ~ pending | length ~ ' up to ' ~ version ~ ' recorded as applied; none was run') %}
{% endmacro %}


{# Settle a migration that was interrupted, changed or lost.
   version: text; action: rerun (run all of it again), mark_applied (it is in the database, as it is in the project
   now), mark_failed (nothing of it is in the database: it is pending again, or forgotten when the project lacks it). #}
{% macro repair_migrations(version, action) %}
  {% set settings = dbt_selfheal_database._settings() %}
  {% if action not in ('rerun', 'mark_applied', 'mark_failed') %}
    {% do dbt_selfheal._raise('repair_migrations: action must be rerun, mark_applied or mark_failed, and is ' ~ action) %}
  {% endif %}
  {% if dbt_selfheal_database._migrations_are_off(settings) %}{% do return(none) %}{% endif %}
  {% set lock = dbt_selfheal_database._migration_lock(settings) %}
  {% set status = dbt_selfheal_database._migration_status(settings) %}
  {% set entry = dbt_selfheal_database._find_version(status.entries, version) %}
  {% do dbt_selfheal_database._check_repair(entry, action) %}
  {% set now = dbt_selfheal._iso(dbt_selfheal._now()) %}
  {% set rollback = entry.last and entry.last.success is none and entry.last.action == 'rollback' and action == 'rerun' %}
  {% if action == 'mark_applied' and entry.state == 'pending' %}
    {% do dbt_selfheal_database._create_history() %}
    {% do adapter.add_query(dbt_selfheal_database._history_insert_sql(dict(entry, attempt=entry.attempt + 1), 'mark_applied', {
      'started_at': now, 'completed_at': now, 'duration_seconds': 0, 'success': true})) %}
  {% elif action == 'mark_applied' %}
    {% do adapter.add_query(dbt_selfheal_database._history_update_sql(entry, {
      'completed_at': now, 'success': true, 'checksum': entry.checksum, 'name': entry.macro, 'action': 'mark_applied'})) %}
  {% elif entry.last is not none and not rollback %}
    {% do adapter.add_query(dbt_selfheal_database._history_update_sql(entry, {'completed_at': now, 'success': false})) %}
  {% endif %}
  {% do adapter.commit() %}
  {% if rollback %}
    {% do dbt_selfheal_database._roll_back(dict(entry, macro=entry.rollback, transaction=entry.rollback_transaction), '1 of 1') %}
  {% elif action == 'rerun' %}
    {% do dbt_selfheal_database._apply_migrations([entry], status.counts.applied) %}
  {% endif %}
  {% do dbt_selfheal._release_lock(lock) %}
  {% do dbt_selfheal._emit('migration_repaired', {'package': entry.package, 'version': entry.version, 'name': entry.macro, 'action': action, 'state_before': entry.state}) %}
  {% do dbt_selfheal._line('Migrations: ' ~ dbt_selfheal_database._migration_title(entry) ~ ' was ' ~ entry.state ~ '; ' ~ {
    'rerun': 'it has been run again', 'mark_applied': 'it is recorded as applied now',
    'mark_failed': 'it is recorded as failed now, and ' ~ ('forgotten' if entry.state == 'gone' else 'pending')}[action]) %}
{% endmacro %}


{# Raise for a repair that would make the history wrong, or that changes nothing. #}
{% macro _check_repair(entry, action) %}
  {% set title = dbt_selfheal_database._migration_title(entry) %}
  {% if entry.state == 'applied' and action != 'mark_failed' %}
    {% do dbt_selfheal._raise(title ~ ' is applied: there is nothing to repair.') %}
  {% elif entry.state == 'pending' and action != 'mark_applied' %}
    {% do dbt_selfheal._raise(title ~ ' is pending: there is nothing to repair. Apply it with:\n  dbt run-operation run_migrations') %}
  {% elif entry.state == 'gone' and action != 'mark_failed' %}
    {% do dbt_selfheal._raise(title ~ ' is gone from the project. Put it back first, or forget it:\n  ' ~ dbt_selfheal_database._repair_command(entry, 'mark_failed')) %}
  {% elif action == 'rerun' and entry.last and entry.last.action == 'rollback' and entry.last.success is none and not entry.rollback %}
    {% do dbt_selfheal._raise(title ~ ' was being rolled back, and its rollback is gone from the project. Put the macro ' ~ entry.macro | replace('migration__', 'rollback__', 1) ~ ' back first.') %}
  {% elif entry.state == 'changed' and action == 'rerun' %}
    {% do dbt_selfheal._raise(title ~ ' is applied and changed, and would be run on top of itself. Take back by hand what it has done, then:\n  '
      ~ dbt_selfheal_database._repair_command(entry, 'mark_failed') ~ '\n  dbt run-operation run_migrations') %}
  {% endif %}
{% endmacro %}
