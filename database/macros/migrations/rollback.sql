{#
  rollback_migration: the way back.
#}

{# Roll back applied migrations, the newest first, each in one transaction with its history row.
   to: the version to go back to, which stays applied ("0": all go; by default only the newest goes);
   dry_run: print the SQL and roll nothing back; newest: which migration the newest must be, else nothing is done (version, or the macro's name). #}
{% macro rollback_migration(to=none, dry_run=false, newest=none) %}
  {% set settings = dbt_selfheal_database._settings() %}
  {% if dry_run and not dbt_selfheal_database._migrations_are_off(settings) %}
    {% do dbt_selfheal_database._print_migrations(dbt_selfheal_database._to_roll_back(dbt_selfheal_database._migration_status(settings), to, newest), 'rolled back') %}
  {% elif not dry_run and not dbt_selfheal_database._migrations_are_off(settings) %}
    {% set lock = dbt_selfheal_database._migration_lock(settings) %}
    {% set entries = dbt_selfheal_database._to_roll_back(dbt_selfheal_database._migration_status(settings), to, newest) %}
    {% for entry in entries %}
      {% do dbt_selfheal_database._roll_back(entry, loop.index ~ ' of ' ~ entries | length) %}
    {% endfor %}
    {% do dbt_selfheal._release_lock(lock) %}
    {% if not entries %}{% do dbt_selfheal._line('Migrations: none is applied' ~ (' after ' ~ to if to is not none else '') ~ '; nothing was done') %}{% endif %}
  {% endif %}
{% endmacro %}


{# What a rollback takes back, the newest first; raises, before anything is done, for what cannot be. The `macro` and
   `transaction` of what it returns are those of the rollback. All go when `to` is "0", unless a migration has that version. #}
{% macro _to_roll_back(status, to=none, newest=none) %}
  {% set has_zero = '.0\n' in status.entries | map(attribute='id') | join('\n') ~ '\n' %}
  {% set keep = none if to is none or (to | string == '0' and not has_zero) else dbt_selfheal_database._find_version(status.entries, to) %}
  {% set entries, problems, wanted = [], [], dbt_selfheal_database._find_version(status.entries, newest) if newest is not none else none %}
  {% for entry in status.entries | sort(attribute='order') | reverse if entry.state != 'pending' and (to is not none or not entries) and (keep is none or entry.order > keep.order) %}
    {% set title = dbt_selfheal_database._migration_title(entry) %}
    {% if entry.state == 'gone' %}
      {% do problems.append(dbt_selfheal_database._gone_problem(entry)) %}
    {% elif entry.state != 'applied' %}
      {% do problems.append(title ~ ' is ' ~ entry.state ~ '. `dbt run-operation migration_status` says what to do.') %}
    {% elif entry.rollback is none %}
      {% do problems.append(title ~ ' (' ~ entry.path ~ ') has no rollback.\nWrite the macro '
        ~ entry.macro | replace('migration__', 'rollback__', 1) ~ ', or take its effects back with a new migration.') %}
    {% endif %}
    {% if wanted and not entries and entry.id != wanted.id %}
      {% do problems.append(dbt_selfheal_database._migration_title(wanted) ~ ' is ' ~ (wanted.state if wanted.state != 'applied' else 'not the newest: ' ~ title ~ ' was applied after it')
        ~ '.\nRoll back one after the other, the newest first, or all at once with `dbt-selfheal migrate down --to VERSION`.') %}
    {% endif %}
    {% do entries.append(dict(entry, macro=entry.rollback, transaction=entry.rollback_transaction)) %}
  {% endfor %}
  {% if wanted and not entries %}{% do problems.append(dbt_selfheal_database._migration_title(wanted) ~ ' is not applied.') %}{% endif %}
  {% if problems %}{% do dbt_selfheal._raise('cannot roll back, and nothing was:\n- ' ~ problems | map('indent', 2) | join('\n- ')) %}{% endif %}
  {% do return(entries) %}
{% endmacro %}


{# Roll back one migration and announce it. Without a transaction, its row says first that the rollback was started, and how many
   of its statements are done: one that stops in the middle leaves the migration interrupted. #}
{% macro _roll_back(entry, progress) %}
  {% set started_at, title = dbt_selfheal._now(), dbt_selfheal_database._migration_title(entry) %}
  {% do dbt_selfheal._line(progress ~ ' START rollback ' ~ title ~ ' (' ~ entry.path ~ ')', 'RUN') %}
  {% do dbt_selfheal._emit('migration_rollback_started', {'package': entry.package, 'version': entry.version, 'name': entry.macro, 'path': entry.path,
    'started_at': dbt_selfheal._iso(started_at)}) %}
  {% set statements = dbt_selfheal_database._run_macro(entry, 'rollback') %}
  {% do adapter.add_query(dbt_selfheal_database._history_update_sql(entry, {'rolled_back_at': dbt_selfheal._iso(dbt_selfheal._now()), 'success': true})) %}
  {% do adapter.commit() %}
  {% set seconds = (dbt_selfheal._now() - started_at).total_seconds() | round(3) %}
  {% do dbt_selfheal._line(progress ~ ' OK rolled back ' ~ title, statements | length ~ ' statements in ' ~ '%.2f' | format(seconds) ~ 's') %}
  {% do dbt_selfheal._emit('migration_rolled_back', {'package': entry.package, 'version': entry.version, 'name': entry.macro, 'statements': statements | length,
    'started_at': dbt_selfheal._iso(started_at), 'duration_seconds': seconds, 'success': true}) %}
{% endmacro %}
