{#
  Applying one migration.

  Where DDL is transactional: one transaction holds the history row, everything that the migration does, and the row's
  completion. A migration that fails or is killed leaves nothing, and is pending as before.
  Elsewhere, or with the line `-- dbt_selfheal: no transaction`: the row is committed first as started, each statement
  by itself, and how many are done is kept in the row.
#}

{# Apply one migration and announce it. progress: "1 of 3". #}
{% macro _apply_migration(migration, progress) %}
  {% set started_at = dbt_selfheal._now() %}
  {% set title, row = dbt_selfheal_database._migration_title(migration), dict(migration, attempt=migration.attempt + 1, recorded_version=migration.version) %}
  {% do dbt_selfheal._line(progress ~ ' START migration ' ~ title ~ ' (' ~ migration.path ~ ')', 'RUN') %}
  {% do dbt_selfheal._emit('migration_started', {'package': migration.package, 'version': migration.version, 'name': migration.macro, 'path': migration.path,
    'checksum': migration.checksum, 'transaction': migration.transaction, 'started_at': dbt_selfheal._iso(started_at)}) %}
  {% if migration.transaction %}
    {% do dbt_selfheal_database._begin() %}
    {% do adapter.add_query(dbt_selfheal_database._history_insert_sql(migration, row.attempt, 'run', {})) %}
    {% set statements = dbt_selfheal_database._run_statements(migration, migration.macro) %}
  {% else %}
    {% set statements = dbt_selfheal_database._run_without_transaction(migration, row, migration.macro) %}
  {% endif %}
  {% set seconds = (dbt_selfheal._now() - started_at).total_seconds() | round(3) %}
  {% do adapter.add_query(dbt_selfheal_database._history_update_sql(row, {
    'completed_at': dbt_selfheal._iso(dbt_selfheal._now()), 'duration_seconds': seconds, 'success': true,
    'statements_done': statements | length, 'statements_total': statements | length})) %}
  {% do adapter.commit() %}
  {% do dbt_selfheal._line(progress ~ ' OK applied migration ' ~ title, statements | length ~ ' statements in ' ~ '%.2f' | format(seconds) ~ 's') %}
  {% do dbt_selfheal._emit('migration_complete', {'package': migration.package, 'version': migration.version, 'name': migration.macro, 'checksum': migration.checksum,
    'statements': statements | length, 'started_at': dbt_selfheal._iso(started_at), 'completed_at': dbt_selfheal._iso(dbt_selfheal._now()),
    'duration_seconds': seconds, 'success': true}) %}
{% endmacro %}


{# Begin a transaction. dbt-postgres leaves that to psycopg2, which begins one by itself only as long as it has not seen a
   commit of dbt's (SQL text to it); after that nothing would be in a transaction. #}
{% macro _begin() %}
  {% do adapter.dispatch('_begin', 'dbt_selfheal_database')() %}
{% endmacro %}

{% macro default___begin() %}{% do adapter.add_query('select 1') %}{% endmacro %}
{% macro postgres___begin() %}{% do adapter.add_query('begin') %}{% endmacro %}


{# Run the statements of a macro in the transaction that is open; returns them. #}
{% macro _run_statements(migration, macro_name) %}
  {% set statements = dbt_selfheal_database._migration_statements(migration.package, macro_name) %}
  {% do dbt_selfheal_database._check_statements(migration, statements) %}
  {% for statement in statements %}
    {% do adapter.add_query(statement) %}
  {% endfor %}
  {% do return(statements) %}
{% endmacro %}


{# Run a migration without a transaction: marked as started first, each statement by itself; returns the statements. #}
{% macro _run_without_transaction(migration, row, macro_name) %}
  {% set statements = dbt_selfheal_database._migration_statements(migration.package, macro_name) %}
  {% do dbt_selfheal._line('  without a transaction: should it fail, what its statements before have done stays; `dbt run-operation migration_status` names it') %}
  {% do adapter.add_query(dbt_selfheal_database._history_insert_sql(migration, row.attempt, 'run', {'statements_done': 0, 'statements_total': statements | length})) %}
  {% do adapter.commit() %}
  {% for statement in statements %}
    {% do dbt_selfheal_database._run_alone(statement) %}
    {% do adapter.add_query(dbt_selfheal_database._history_update_sql(row, {'statements_done': loop.index})) %}
    {% do adapter.commit() %}
  {% endfor %}
  {% do return(statements) %}
{% endmacro %}


{# Run one statement outside of any transaction. A commit of dbt's has gone before, after which psycopg2 opens none by
   itself; Python's sqlite3 opens one for each statement that writes. #}
{% macro _run_alone(statement) %}
  {% do adapter.dispatch('_run_alone', 'dbt_selfheal_database')(statement) %}
{% endmacro %}

{% macro default___run_alone(statement) %}
  {% do adapter.add_query(statement, auto_begin=false) %}
{% endmacro %}

{% macro sqlite___run_alone(statement) %}
  {% set connection = adapter.add_query(statement, auto_begin=false)[0] %}
  {% if connection.handle.in_transaction %}{% do connection.handle.commit() %}{% endif %}
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
      {% set type = row[3] if row[3] in ('table', 'view', 'materialized_view') else 'external' %}  {# SQLite lists triggers too; so does dbt #}
      {% do adapter.cache_added(api.Relation.create(database=place[0], schema=place[1], identifier=row[1], type=type)) %}
    {% endfor %}
    {% for alias in aliases if alias | lower not in there %}
      {% set dropped = adapter.get_relation(place[0], place[1], alias) %}
      {% if dropped %}{% do adapter.cache_dropped(dropped) %}{% endif %}
    {% endfor %}
  {% endfor %}
{% endmacro %}
