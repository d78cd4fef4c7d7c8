{#
  The state of every migration: what the project has, against what the history says.
    applied       done, and as it is in the project
    pending       to be applied (never applied, rolled back, or marked as failed)
    interrupted   started without a transaction and not finished, or half rolled back without one
    changed       applied, and different in the project now
    gone          applied, and no longer in the project
  Also the operations that look and change nothing: migration_status, migration_history, validate_migrations.
#}

{# Print, and emit as one JSON event, the state of each migration and what is wrong. Returns the status as a dict. #}
{% macro migration_status() %}
  {% set status = dbt_selfheal_database._migration_status(dbt_selfheal_database._settings()) %}
  {% do dbt_selfheal_database._emit_migration_status(status) %}
  {% set counts = status.counts %}
  {% do dbt_selfheal._line('Migrations: ' ~ status.state ~ ' (' ~ counts.applied ~ ' applied, ' ~ counts.pending ~ ' pending'
    ~ (', ' ~ counts.interrupted ~ ' interrupted' if counts.interrupted else '') ~ (', ' ~ counts.changed ~ ' changed' if counts.changed else '')
    ~ (', ' ~ counts.gone ~ ' gone' if counts.gone else '') ~ ')', asked=true) %}
  {% for entry in status.entries %}
    {% do dbt_selfheal._line('  ' ~ (entry.state if entry.state in ('applied', 'pending') else entry.state | upper).ljust(12)
      ~ dbt_selfheal_database._migration_title(entry).ljust(40) ~ ' ' ~ dbt_selfheal_database._attempt_text(entry.last), asked=true) %}
  {% endfor %}
  {% for problem in status.problems %}{% do dbt_selfheal._line('PROBLEM ' ~ problem | indent(2), asked=true) %}{% endfor %}
  {% if status.state == 'pending' %}{% do dbt_selfheal._line('Apply them with: dbt run-operation run_migrations', asked=true) %}{% endif %}
  {% do return(status) %}
{% endmacro %}


{# Print, and emit as one JSON event, every attempt: what, when, by whom, how long, with what result. #}
{% macro migration_history() %}
  {% do dbt_selfheal_database._settings() %}
  {% set rows = dbt_selfheal_database._history_rows() %}
  {% do dbt_selfheal._emit('migration_history', {'history': rows}) %}
  {% do dbt_selfheal._line('History of migrations: ' ~ rows | length ~ (' row' if rows | length == 1 else ' rows'), asked=true) %}
  {% for row in rows %}
    {% do dbt_selfheal._line('  ' ~ dbt_selfheal_database._migration_title(row).ljust(40) ~ ' ' ~ dbt_selfheal_database._attempt_text(row), asked=true) %}
  {% endfor %}
  {% do return(rows) %}
{% endmacro %}


{# Raise an error when anything is wrong with the migrations, naming all of it; for CI. Pending ones are not wrong. #}
{% macro validate_migrations() %}
  {% set status = dbt_selfheal_database._migration_status(dbt_selfheal_database._settings()) %}
  {% do dbt_selfheal_database._emit_migration_status(status) %}
  {% do dbt_selfheal_database._raise_migration_problems(status) %}
  {% do dbt_selfheal._line('Migrations: valid (' ~ status.counts.applied ~ ' applied, ' ~ status.counts.pending ~ ' pending)', asked=true) %}
{% endmacro %}


{# The status as a dict: state (up_to_date, pending, blocked), entries (a dict per migration, in order: those of
   _find_migrations with state and last, the last row of the history), problems (texts), counts by state. #}
{% macro _migration_status(settings, quiet=false) %}
  {% set found, last, entries = dbt_selfheal_database._find_migrations(quiet), {}, [] %}
  {% for row in dbt_selfheal_database._history_rows() | sort(attribute='attempt') %}{% do last.update({row.id: row}) %}{% endfor %}
  {% for migration in found.all %}
    {% set row = last.pop(migration.id, none) %}
    {% set state = 'pending' if row is none else 'interrupted' if row.success is none else 'pending' if not row.success or row.rolled_back_at is not none
      else 'applied' if row.checksum == migration.checksum else 'changed' %}
    {% do entries.append(dict(migration, last=row, state=state, attempt=(row.attempt if row else 0), recorded_version=(row.version if row else migration.version))) %}
  {% endfor %}
  {% for row in last.values() if row.success is none or (row.success and row.rolled_back_at is none) %}
    {% do entries.append({'id': row.id, 'package': row.package, 'version': row.version, 'slug': row.slug, 'macro': row.name, 'checksum': row.checksum,
      'order': dbt_selfheal_database._migration_order(row.package, row.version), 'path': none, 'rollback': none, 'rollback_transaction': true, 'last': row, 'state': 'gone', 'attempt': row.attempt, 'recorded_version': row.version}) %}
  {% endfor %}
  {% set counts = {} %}
  {% for state in ('applied', 'pending', 'interrupted', 'changed', 'gone') %}
    {% do counts.update({state: entries | selectattr('state', 'equalto', state) | list | length}) %}
  {% endfor %}
  {% set problems = found.problems + dbt_selfheal_database._history_problems(entries, settings) %}
  {% do return({'state': 'blocked' if problems else 'pending' if counts.pending else 'up_to_date', 'entries': entries, 'problems': problems, 'counts': counts}) %}
{% endmacro %}


{# For initialization_status: the titles of the pending migrations. Of macros that only happen to be named so, in a project that
   neither has migrations run by hooks nor has used one, nothing is said. Without such macros it costs next to nothing. #}
{% macro _pending_titles(settings) %}
  {% set titles = [] %}
  {% if dbt_selfheal_database._migration_ids('migration').certain and (settings.migrations or dbt_selfheal_database._history_exists()) %}
    {% for entry in dbt_selfheal_database._migration_status(settings, quiet=true).entries if entry.state == 'pending' %}
      {% do titles.append(dbt_selfheal_database._migration_title(entry)) %}
    {% endfor %}
  {% endif %}
  {% do return(titles) %}
{% endmacro %}


{# When and by whom, or why not: the end of a migration's line. row: of the history, or none. #}
{% macro _attempt_text(row) %}
  {% if row is none %}{% do return('') %}{% endif %}
  {% set who = ' by ' ~ (row.applied_by or 'unknown') ~ (' on ' ~ row.host if row.host else '') %}
  {% if row.success is none %}
    {% do return(('rollback of what was applied ' ~ row.completed_at if row.action == 'rollback' else 'started ' ~ row.started_at) ~ who ~ ', ' ~ row.statements_done ~ ' of ' ~ row.statements_total ~ ' statements done') %}
  {% endif %}
  {% set what = 'failed ' if not row.success else 'baseline ' if row.action == 'baseline' else 'marked applied ' if row.action == 'mark_applied' else 'applied ' %}
  {% do return(what ~ row.completed_at ~ who ~ (' in ' ~ row.duration_seconds ~ ' s' if row.action in ('run', 'rollback') else '')
    ~ (', rolled back ' ~ row.rolled_back_at if row.rolled_back_at else '')) %}
{% endmacro %}


{# Emit a status as one JSON event. #}
{% macro _emit_migration_status(status) %}
  {% set migrations = [] %}
  {% for entry in status.entries %}
    {% do migrations.append({
      'package': entry.package, 'version': entry.version, 'name': entry.macro, 'path': entry.path, 'state': entry.state, 'checksum': entry.checksum,
      'can_roll_back': entry.rollback is not none, 'last_attempt': entry.last}) %}
  {% endfor %}
  {% do dbt_selfheal._emit('migration_status', {
    'state': status.state, 'counts': status.counts, 'problems': status.problems, 'migrations': migrations}) %}
{% endmacro %}
