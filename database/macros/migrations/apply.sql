{#
  Applying migrations.

  Where DDL is transactional: one transaction holds the history row, everything that the migration does, and the row's
  completion. A migration that fails or is killed leaves nothing, and is pending as before.
  Elsewhere, or with the line `-- dbt_selfheal: no transaction`: the row is committed first as started, each statement
  by itself, and how many are done is kept in the row.
#}

{# Apply migrations, one after another, as the step run_migrations, and announce each. present: how many were applied before. #}
{% macro _apply_migrations(pending, present) %}
  {% if pending %}
    {% set step = dbt_selfheal._step('run_migrations') %}
    {% do dbt_selfheal._line('Migrations: ' ~ pending | length ~ ' to apply, ' ~ present ~ ' applied before. Of one that fails nothing remains'
      ~ (' (unless it says so)' if pending | rejectattr('transaction') | list else '') ~ '; correct it and run the same command again') %}
    {% for migration in pending %}
      {% set started_at, progress = dbt_selfheal._now(), loop.index ~ ' of ' ~ pending | length %}
      {% set title, row = dbt_selfheal_database._migration_title(migration), dict(migration, attempt=migration.attempt + 1, recorded_version=migration.version) %}
      {% do dbt_selfheal._line(progress ~ ' START migration ' ~ title ~ ' (' ~ migration.path ~ ')', 'RUN') %}
      {% do dbt_selfheal._emit('migration_started', {'package': migration.package, 'version': migration.version, 'name': migration.macro, 'path': migration.path,
        'checksum': migration.checksum, 'transaction': migration.transaction, 'started_at': dbt_selfheal._iso(started_at)}) %}
      {% set statements = dbt_selfheal_database._run_macro(row, 'run') %}
      {% set seconds = (dbt_selfheal._now() - started_at).total_seconds() | round(3) %}
      {% do adapter.add_query(dbt_selfheal_database._history_update_sql(row, {
        'completed_at': dbt_selfheal._iso(dbt_selfheal._now()), 'duration_seconds': seconds, 'success': true,
        'statements_done': statements | length, 'statements_total': statements | length})) %}
      {% do adapter.commit() %}
      {% do dbt_selfheal._line(progress ~ ' OK applied migration ' ~ title, statements | length ~ ' statements in ' ~ '%.2f' | format(seconds) ~ 's') %}
      {% do dbt_selfheal._emit('migration_complete', {'package': migration.package, 'version': migration.version, 'name': migration.macro, 'checksum': migration.checksum,
        'statements': statements | length, 'started_at': dbt_selfheal._iso(started_at), 'completed_at': dbt_selfheal._iso(dbt_selfheal._now()),
        'duration_seconds': seconds, 'success': true}) %}
    {% endfor %}
    {% do dbt_selfheal_database._refresh_cache() %}
    {% do dbt_selfheal._step(step) %}
  {% endif %}
{% endmacro %}


{# Run what a migration's or a rollback's macro renders, and put into the history that it was begun; the caller adds that it is
   done, and commits. entry: an entry of a status, with macro and transaction of what is run and the attempt of its row; action:
   run, or rollback. Returns the statements. Without a transaction each runs outside of any: a commit of dbt's has gone before,
   after which a driver opens none by itself, or closes the one that it has opened. #}
{% macro _run_macro(entry, action) %}
  {% set traits = dbt_selfheal_database._traits() %}
  {% if entry.transaction %}
    {% do adapter.add_query(traits.begin) %}
    {% do adapter.add_query(dbt_selfheal_database._history_insert_sql(entry, 'run', {}) if action == 'run'
      else dbt_selfheal_database._history_update_sql(entry, {'rolled_back_at': dbt_selfheal._iso(dbt_selfheal._now())})) %}
    {% set statements = dbt_selfheal_database._migration_statements(entry.package, entry.macro) %}
    {% do dbt_selfheal_database._check_statements(entry, statements) %}
    {% for statement in statements %}
      {% do dbt_selfheal_database._emit_statement(entry, statement, loop.index) %}
      {% do adapter.add_query(statement) %}
    {% endfor %}
    {% do return(statements) %}
  {% endif %}
  {% set statements = dbt_selfheal_database._migration_statements(entry.package, entry.macro) %}
  {% set counts = {'statements_done': 0, 'statements_total': statements | length} %}
  {% if action == 'run' %}
    {% do dbt_selfheal._line('  without a transaction: should it fail, what its statements before have done stays; `dbt run-operation migration_status` names it') %}
    {% do adapter.add_query(dbt_selfheal_database._history_insert_sql(entry, 'run', counts)) %}
  {% else %}
    {% do adapter.add_query(dbt_selfheal_database._history_update_sql(entry, dict(counts, action='rollback', success=none))) %}
  {% endif %}
  {% do adapter.commit() %}
  {% for statement in statements %}
    {% do dbt_selfheal_database._emit_statement(entry, statement, loop.index) %}
    {% set connection = adapter.add_query(statement, auto_begin=false)[0] %}
    {% if traits.driver_begins and connection.handle.in_transaction %}{% do connection.handle.commit() %}{% endif %}
    {% do adapter.add_query(dbt_selfheal_database._history_update_sql(entry, {'statements_done': loop.index})) %}
    {% do adapter.commit() %}
  {% endfor %}
  {% do return(statements) %}
{% endmacro %}


{# Emit, without the SQL, which statement of a migration is next and what it makes or changes: table, index, constraint, data or other. #}
{% macro _emit_statement(entry, statement, number) %}
  {% set text = dbt_selfheal_database._without_comments(statement) | lower %}
  {% do dbt_selfheal._emit('migration_statement', {'package': entry.package, 'version': entry.version, 'name': entry.macro, 'number': number, 'kind':
    'index' if modules.re.match('create\\s+(unique\\s+)?index\\b', text) else 'table' if modules.re.match('create\\s+([a-z]+\\s+){0,3}table\\b', text)
    else 'constraint' if modules.re.match('alter\\s+table\\b.*\\b(constraint|primary\\s+key|foreign\\s+key|references|unique|check|set\\s+not\\s+null)\\b', text, modules.re.DOTALL)
    else 'data' if modules.re.match('(insert|update|delete|merge|with|copy|replace)\\b', text) else 'other'}) %}
{% endmacro %}


{# Tell dbt's cache what migrations have made and dropped in the schemas that the project's nodes are in. #}
{% macro _refresh_cache() %}
  {% set schemas = {(target.database, target.schema): []} %}
  {% for node in dbt_selfheal._manifest().nodes.values() if node.relation_name %}
    {% do schemas.setdefault((node.database, node.schema), []).append(node.alias) %}
  {% endfor %}
  {% for place, aliases in schemas.items() %}
    {% set there = {} %}
    {% for row in list_relations_without_caching(api.Relation.create(database=place[0], schema=place[1]).without_identifier()) %}
      {% do there.update({row[1] | lower: true}) %}
      {% set type = row[3] if row[3] in ('table', 'view', 'materialized_view') else 'external' %}  {# triggers too, on some #}
      {% do adapter.cache_added(api.Relation.create(database=place[0], schema=place[1], identifier=row[1], type=type)) %}
    {% endfor %}
    {% for alias in aliases if alias | lower not in there %}
      {% set dropped = adapter.get_relation(place[0], place[1], alias) %}
      {% if dropped %}{% do adapter.cache_dropped(dropped) %}{% endif %}
    {% endfor %}
  {% endfor %}
{% endmacro %}
