{#
  seed_initial_data: insert the rows that must exist and do not. Existing rows are never updated or deleted.
#}

{# Insert the missing rows of all tables that have initial data, and say how many were created and skipped.
   dry_run: say what would be inserted, and insert nothing; tables: only those of these names (name or schema.name), all by default.
   Returns the reports, one dict per table. #}
{% macro seed_initial_data(dry_run=false, tables=none) %}
  {% set settings = dbt_selfheal_database._settings() %}
  {% if dbt_selfheal_database._is_off(settings) %}
    {% do dbt_selfheal._line('Initial data: off in this target or by setting; nothing was done') %}
  {% elif dry_run %}
    {% set reports = dbt_selfheal_database._initial_data_reports(dbt_selfheal_database._survey_initial_data(dbt_selfheal_database._initial_data_tables(settings, tables)), 'would be created') %}
    {% do return(reports) %}
  {% else %}
    {% set reports = dbt_selfheal_database._load_tables(settings, always_report=true, tables=tables) %}
    {% if not reports %}{% do dbt_selfheal._line('Initial data: none is declared, or none of its tables exists') %}{% endif %}
    {% do return(reports) %}
  {% endif %}
{% endmacro %}


{# For the hook, after everything is built: insert what is missing, or act on it as `on_missing` says. Costs next to nothing
   in a project without initial data; else a query or two per table. Returns the reports. #}
{% macro _load_initial_data(settings) %}
  {% if not settings.initial_data and not dbt_selfheal_database._marked_seed_ids() %}  {# a mark is of a setting that is gone #}
    {% do dbt_selfheal_database._unmark_rows_due() %}
    {% do return([]) %}
  {% endif %}
  {% if settings.on_missing not in ('warn', 'fail') %}{% do return(dbt_selfheal_database._load_tables(settings)) %}{% endif %}
  {% set there = [] %}
  {% for table in dbt_selfheal_database._initial_data_tables(settings) if adapter.get_relation(table.database, table.schema, table.identifier) %}
    {% do there.append(table) %}
  {% endfor %}
  {% set lacking = dbt_selfheal_database._survey_initial_data(there) | selectattr('ready') | list %}
  {% if not lacking %}{% do dbt_selfheal_database._unmark_rows_due() %}{% endif %}
  {% for table in lacking %}
    {% set text = table.title ~ ' lacks ' ~ table.ready | length ~ ' of ' ~ table.rows | length ~ ' rows of its initial data (' ~ table.origin
      ~ '). Insert them with:\n  dbt run-operation seed_initial_data' %}
    {% if settings.on_missing == 'fail' %}{% do dbt_selfheal._raise(text) %}{% endif %}
    {% do exceptions.warn('dbt_selfheal: ' ~ text) %}
  {% endfor %}
  {% do return([]) %}
{% endmacro %}


{# For the hook: whether the setting `initial_data` is to be looked at closely (docs/decisions/0007), or a node that it goes into
   is missing, or rows are due since an earlier command. #}
{% macro _expects_rows(settings) %}
  {% if flags.WHICH in ('build', 'seed') or dbt_selfheal_database._rows_due() %}{% do return(true) %}{% endif %}
  {% for entry in settings.initial_data %}
    {% set node = entry.table is string and dbt_selfheal_database._table_or_node(entry.table) %}
    {% if not node or (node.alias is defined and not adapter.get_relation(node.database, node.schema, node.alias)) %}
      {% do return(true) %}
    {% endif %}
  {% endfor %}
  {% do return(false) %}
{% endmacro %}


{# The mark that rows of the setting `initial_data` are due, if it is there: a table, which dbt's cache knows of without a query. It is made
   before what may call for rows (a migration, healing) and dropped when they are there. So what comes in between, a kill or
   an error, is made up for by the next command. #}
{% macro _rows_due() %}
  {% set mark = dbt_selfheal._own_relation('selfheal_initial_data_due') %}
  {% do return(adapter.get_relation(mark.database, mark.schema, mark.identifier)) %}
{% endmacro %}


{# Make the mark, where it is not there. #}
{% macro _mark_rows_due() %}
  {% if not dbt_selfheal_database._rows_due() %}
    {% do dbt_selfheal_database._create_own_table(dbt_selfheal._own_relation('selfheal_initial_data_due'), 'since varchar(32)') %}
  {% endif %}
{% endmacro %}


{# Drop the mark, if it is there. #}
{% macro _unmark_rows_due() %}
  {% set mark = dbt_selfheal_database._rows_due() %}
  {% if mark %}
    {% do adapter.add_query('drop table if exists ' ~ mark) %}
    {% do adapter.commit() %}
    {% do adapter.cache_dropped(mark) %}
  {% endif %}
{% endmacro %}


{# Insert what is missing, under the lock. always_report: print a line for each table even when nothing was inserted; tables: of seed_initial_data. #}
{% macro _load_tables(settings, always_report=false, tables=none) %}
  {% set wanted = dbt_selfheal_database._initial_data_tables(settings, tables) %}
  {% set surveyed = dbt_selfheal_database._survey_initial_data(wanted) %}
  {% set work = surveyed | selectattr('ready') | list %}
  {% if work %}
    {% set step = dbt_selfheal._step('load_initial_data') %}
    {% set lock = dbt_selfheal._acquire_lock(settings, work | map(attribute='schema')) %}
    {% for table in work %}
      {% do dbt_selfheal._emit('initial_data_started', {'table': table.title, 'origin': table.origin}) %}
      {% if lock.kind != 'none' %}{% do table.update({'ready': table.ready | select('in', dbt_selfheal_database._absent_rows(table)) | list}) %}{% endif %}
      {% do dbt_selfheal_database._insert_rows(table) %}
    {% endfor %}
    {% do dbt_selfheal._release_lock(lock) %}
    {% do dbt_selfheal._step(step) %}
  {% endif %}
  {% if tables is none %}
    {% set later = wanted | rejectattr('is_seed') | map(attribute='title') | reject('in', surveyed | map(attribute='title') | list) | first is defined %}
    {% do dbt_selfheal_database._mark_rows_due() if later else dbt_selfheal_database._unmark_rows_due() %}
  {% endif %}
  {% do return(dbt_selfheal_database._initial_data_reports(surveyed if always_report else surveyed | selectattr('absent') | list)) %}
{% endmacro %}


{# Compare tables with the database. Returns those that exist, prepared, with absent (all rows that are missing),
   ready (those that can be inserted) and waiting (those whose environment variable is not set). A table that is not there: a node
   is loaded when it has been built; anything else has to be made first. #}
{% macro _survey_initial_data(tables) %}
  {% set surveyed = [] %}
  {% for table in tables %}
    {% set relation = adapter.get_relation(table.database, table.schema, table.identifier) %}
    {% set place = {'database': table.database, 'schema': table.schema, 'alias': table.identifier} %}
    {% if relation is none and not dbt_selfheal._absent([{'node': place}]) %}  {# another process has made it since dbt looked #}
      {% set relation = api.Relation.create(database=table.database, schema=table.schema, identifier=table.identifier, type='table') %}
    {% endif %}
    {% if relation is none and table.node %}
      {% do dbt_selfheal._emit('initial_data_postponed', {'table': table.title, 'origin': table.origin, 'reason': 'the table is not built yet'}) %}
    {% elif relation is none %}
      {% do dbt_selfheal._raise(table.origin ~ ': there is no table ' ~ table.title ~ ' in the database, and no node of that name in the project.\n'
        ~ 'Make it with a migration (docs/migrations.md), or correct the name. Nothing was inserted.') %}
    {% elif relation.is_view %}
      {% do dbt_selfheal._raise(table.origin ~ ': ' ~ table.title ~ ' is a view; rows can only be put into a table.') %}
    {% else %}
      {% set prepared = dbt_selfheal_database._prepare_rows(table, relation, dbt_selfheal_database._seed_rows(table.node) if table.is_seed else table.rows) %}
      {% set absent = dbt_selfheal_database._absent_rows(prepared) %}
      {% do surveyed.append(dict(prepared, absent=absent, ready=absent | rejectattr('waiting') | list, waiting=absent | selectattr('waiting') | list)) %}
    {% endif %}
  {% endfor %}
  {% do return(surveyed) %}
{% endmacro %}


{# Print and emit what came of each table, and how to make a row that waits for an environment variable. #}
{% macro _initial_data_reports(surveyed, word='created') %}
  {% set reports = [] %}
  {% for table in surveyed %}
    {% set report = {'table': table.title, 'origin': table.origin, 'created': table.ready | length, 'waiting': table.waiting | length,
      'skipped': table.rows | length - table.ready | length - table.waiting | length, 'variables': table.waiting | map(attribute='waiting') | unique | list} %}
    {% do reports.append(report) %}
    {% do dbt_selfheal._emit('initial_data_loaded' if word == 'created' else 'initial_data_plan', report) %}
    {% do dbt_selfheal._line('Initial data: ' ~ table.title ~ ' (' ~ table.origin ~ ')', report.created ~ ' ' ~ word ~ ', ' ~ report.skipped ~ ' there before'
      ~ (', ' ~ report.waiting ~ ' waiting' if report.waiting else '')) %}
    {% for row in table.waiting %}
      {% set passwords = [] %}
      {% for column, variable in row.secrets.items() if variable == row.waiting and column in table.passwords %}{% do passwords.append(column) %}{% endfor %}
      {% do dbt_selfheal._line('  not created: ' ~ dbt_selfheal_database._key_text(table, row) ~ ', since the environment variable ' ~ row.waiting ~ ' is not set. '
        ~ ('There is no default password. Make a hash with `dbt-selfheal hash-password`, set ' ~ row.waiting ~ ' to it (in single quotes)' if passwords else 'Set it')
        ~ ' and run `dbt run-operation seed_initial_data`') %}
    {% endfor %}
  {% endfor %}
  {% do return(reports) %}
{% endmacro %}
