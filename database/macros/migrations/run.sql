{#
  run_migrations: apply what is pending, in order, each once, under the lock.
#}

{# Apply the pending migrations, in the order of their versions.
   to: the version to stop at, inclusive (text; by default all); dry_run: print the SQL and apply nothing. #}
{% macro run_migrations(to=none, dry_run=false) %}
  {% set settings = dbt_selfheal_database._settings() %}
  {% if dry_run and not dbt_selfheal_database._migrations_are_off(settings) %}
    {% set status = dbt_selfheal_database._migration_status(settings) %}
    {% do dbt_selfheal_database._raise_migration_problems(status) %}
    {% do dbt_selfheal_database._print_migrations(dbt_selfheal_database._pending_migrations(status, to)) %}
  {% elif not dry_run and not dbt_selfheal_database._migrations_are_off(settings) %}
    {% set applied = dbt_selfheal_database._migrate(settings, to=to) %}
    {% if not applied %}{% do dbt_selfheal._line('Migrations: nothing is pending' ~ (' up to ' ~ to if to is not none else '') ~ '; nothing was done') %}{% endif %}
  {% endif %}
{% endmacro %}


{# Whether the package is off here, which is said in a line then. #}
{% macro _migrations_are_off(settings) %}
  {% set off = dbt_selfheal_database._is_off(settings) %}
  {% if off %}{% do dbt_selfheal._line('Migrations: off in this target or by setting; nothing was done') %}{% endif %}
  {% do return(off) %}
{% endmacro %}


{# For the hook: act on what is pending, unless one query of the history says that just the project's migrations are applied, as
   they are now. Returns whether any was applied. (Two short macros: they run with every command.) #}
{% macro _run_pending(settings) %}
  {% set macros, ids, found = builtins.ref.manifest.macros, dbt_selfheal_database._migration_ids('migration'), [] %}
  {% for id in ids.certain %}{% do found.append(id ~ local_md5(macros[id].macro_sql.replace('\r\n', '\n').strip())) %}{% endfor %}
  {% if not found and not ids.alike %}{% do return(false) %}{% endif %}
  {% set table = api.Relation.create(target.database, settings.schema or target.schema, 'selfheal_migrations') %}
  {% if not ids.alike and adapter.get_relation(table.database, table.schema, table.identifier) %}
    {% set applied = adapter.execute("select 'macro.' || package || '.' || name || checksum from " ~ table
      ~ ' where success and completed_at is not null and rolled_back_at is null', fetch=true)[1] %}
    {% if found | sort == applied.columns[0].values() | sort %}{% do return(false) %}{% endif %}
  {% endif %}
  {% do return(dbt_selfheal_database._act_on_pending(settings)) %}
{% endmacro %}


{# Apply what is pending before anything is built, or act on it as `on_missing` says. Returns whether any was applied. #}
{% macro _act_on_pending(settings) %}
  {% if settings.on_missing not in ('warn', 'fail') %}{% do return(dbt_selfheal_database._migrate(settings) | length > 0) %}{% endif %}
  {% set status = dbt_selfheal_database._migration_status(settings) %}
  {% set text = dbt_selfheal_database._problems_text(status) if status.problems else 'migrations are pending: ' ~ status.counts.pending
    ~ '. Apply them with:\n  dbt run-operation run_migrations' if status.counts.pending %}
  {% if text and settings.on_missing == 'fail' %}{% do dbt_selfheal._raise(text) %}{% endif %}
  {% if text %}{% do exceptions.warn('dbt_selfheal: ' ~ text) %}{% endif %}
  {% do return(false) %}
{% endmacro %}


{# Apply what is pending, if anything is: looked at without the lock, and again with it. Returns what was applied. #}
{% macro _migrate(settings, to=none) %}
  {% set status = dbt_selfheal_database._migration_status(settings) %}
  {% do dbt_selfheal_database._raise_migration_problems(status) %}
  {% if not dbt_selfheal_database._pending_migrations(status, to) %}{% do return([]) %}{% endif %}
  {% set lock = dbt_selfheal_database._migration_lock(settings) %}
  {% do dbt_selfheal_database._create_history() %}
  {% set status = dbt_selfheal_database._migration_status(settings, quiet=true) %}
  {% do dbt_selfheal_database._raise_migration_problems(status) %}
  {% set pending = dbt_selfheal_database._pending_migrations(status, to) %}
  {% if pending and settings.initial_data %}{% do dbt_selfheal_database._mark_rows_due() %}{% endif %}
  {% do dbt_selfheal_database._apply_migrations(pending, status.counts.applied) %}
  {% do dbt_selfheal._release_lock(lock) %}
  {% do return(pending) %}
{% endmacro %}


{# The lock of all that changes migrations: that of the schema which the history is in. #}
{% macro _migration_lock(settings) %}
  {% do return(dbt_selfheal._acquire_lock(settings, [dbt_selfheal_database._history_relation().schema])) %}
{% endmacro %}


{# The pending migrations of a status, up to a version. #}
{% macro _pending_migrations(status, to=none) %}
  {% set last = dbt_selfheal_database._find_version(status.entries, to) if to is not none else none %}
  {% set pending = [] %}
  {% for entry in status.entries if entry.state == 'pending' and (last is none or entry.order <= last.order) %}{% do pending.append(entry) %}{% endfor %}
  {% do return(pending) %}
{% endmacro %}


{# Print, and emit as a JSON event, the SQL of migrations. Rendered in a transaction that is rolled back, so that a macro
   that runs statements itself changes nothing either. what: applied or rolled back. #}
{% macro _print_migrations(migrations, what='applied') %}
  {% set plan = [] %}
  {% do dbt_selfheal._line('Migrations: ' ~ migrations | length ~ ' would be ' ~ what ~ ' (dry run: nothing is)', asked=true) %}
  {% for migration in migrations %}
    {% do adapter.add_query(dbt_selfheal_database._traits().begin) %}
    {% set statements = dbt_selfheal_database._migration_statements(migration.package, migration.macro) %}
    {% do dbt_selfheal._discard_open_transaction() %}
    {% do dbt_selfheal_database._check_statements(migration, statements) %}
    {% do plan.append({'package': migration.package, 'version': migration.version, 'name': migration.macro, 'statements': statements}) %}
    {% do dbt_selfheal._line('-- ' ~ dbt_selfheal_database._migration_title(migration) ~ ' (' ~ migration.path ~ ')'
      ~ ('' if migration.transaction else ', without a transaction') ~ ('\n' ~ statements | join(';\n') ~ ';' if statements else '\n-- no statements'), asked=true) %}
  {% endfor %}
  {% do dbt_selfheal._emit('migration_plan', {'migrations': plan}) %}
{% endmacro %}
