{#
  The checks of health_report, each a dict of _check.
#}

{# Print, and emit as JSON events, that the database answers and of which versions it and dbt are; raises the database's own error if not. #}
{% macro check_connection() %}
  {% do dbt_selfheal_database._settings() %}
  {% for check in dbt_selfheal_database._check_connection() %}{% do dbt_selfheal._line(check.name ~ ': ' ~ check.summary, asked=true) %}{% endfor %}
{% endmacro %}


{# connectivity and versions. #}
{% macro _check_connection() %}
  {% do dbt_selfheal._fetch('select 1') %}  {# the first call compiles the macro #}
  {% set started_at = dbt_selfheal._now() %}
  {% do dbt_selfheal._fetch('select 1') %}
  {% set milliseconds = ((dbt_selfheal._now() - started_at).total_seconds() * 1000) | round(2) %}
  {% set connectivity = dbt_selfheal_database._check('connectivity', 'ok', 'answers in ' ~ milliseconds ~ ' ms', none, {'round_trip_ms': milliseconds}) %}
  {% set query, package = dbt_selfheal_database._traits().version, (adapter.config.dependencies or {}).get('dbt_selfheal') %}
  {% set database = dbt_selfheal._fetch(query)[0][0] if query else 'of unknown version' %}
  {% do return([connectivity, dbt_selfheal_database._check('versions', 'ok', adapter.type() ~ ' ' ~ database ~ ', dbt ' ~ dbt_version, none,
    {'database': database, 'dbt': dbt_version, 'package': package.version if package else none})]) %}
{% endmacro %}


{# required_relations, and schema: drift of what exists. #}
{% macro _check_relations(relations, schema) %}
  {% set missing = relations | selectattr('state', 'equalto', 'missing') | map(attribute='name') | list %}
  {% set wrong = relations | selectattr('state', 'equalto', 'wrong_kind') | map(attribute='name') | list %}
  {% set present = relations | length - missing | length %}
  {% set text = present ~ ' of ' ~ relations | length ~ ' exist' ~ ('; missing: ' ~ dbt_selfheal_database._some(missing) if missing else '')
    ~ ('; of the wrong kind: ' ~ dbt_selfheal_database._some(wrong) if wrong else '') %}
  {% set required = dbt_selfheal_database._check('required_relations', 'failed' if missing else 'warning' if wrong else 'ok', text,
    'dbt run-operation ensure_initialized' if missing else 'dbt run-operation validate_schema',
    {'required': relations | length, 'present': present, 'missing': missing, 'wrong_kind': wrong}) %}
  {% set issues = schema.issues | rejectattr('code', 'in', ['missing_relation', 'wrong_kind']) | list %}
  {% set report = dbt_selfheal_database._report_of_issues(issues, schema.relations) %}
  {% set drift = issues | rejectattr('severity', 'equalto', 'info') | list %}
  {% do return([required, dbt_selfheal_database._check('schema', 'warning' if drift else 'ok',
    'as declared' if not drift else 'not as declared: ' ~ dbt_selfheal_database._schema_counts(report), 'dbt run-operation validate_schema', report.counts)]) %}
{% endmacro %}


{# The first names of a list. #}
{% macro _some(names) %}
  {% do return(names[:6] | join(', ') ~ (', ...' if names | length > 6 else '')) %}
{% endmacro %}


{# migrations. Macros that only happen to be named so, in a project that neither has migrations run by hooks nor has used one, are none. #}
{% macro _check_migrations(settings) %}
  {% set used = settings.migrations or dbt_selfheal_database._history_exists() %}
  {% set status = dbt_selfheal_database._migration_status(settings, quiet=true) if used else {'counts': dict.fromkeys(('applied', 'pending', 'interrupted', 'changed', 'gone'), 0)} %}
  {% set counts = status.counts %}
  {% if not status.entries and not status.problems %}{% do return(dbt_selfheal_database._check('migrations', 'ok', 'the project has none', none, counts)) %}{% endif %}
  {% set parts = [] %}
  {% set failed = status.entries | selectattr('last') | map(attribute='last') | selectattr('success', 'sameas', false) | list | length %}
  {% for state, count in dict(counts, failed=failed).items() if count %}{% do parts.append(count ~ ' ' ~ state) %}{% endfor %}
  {% do return(dbt_selfheal_database._check('migrations', 'failed' if status.problems else 'warning' if counts.pending else 'ok',
    parts | join(', ') ~ ('; ' ~ status.problems | length ~ ' problems' if status.problems else ''),
    'dbt run-operation migration_status' if status.problems else 'dbt run-operation run_migrations',
    dict(counts, failed=failed, problems=status.problems))) %}
{% endmacro %}


{# initial_data. #}
{% macro _check_initial_data(settings) %}
  {% set tables = dbt_selfheal_database._initial_data_tables(settings) %}
  {% set there, gone = [], [] %}
  {% for table in tables %}
    {% do (there if adapter.get_relation(table.database, table.schema, table.identifier) else gone).append(table) %}
  {% endfor %}
  {% if not tables %}{% do return(dbt_selfheal_database._check('initial_data', 'ok', 'the project declares none')) %}{% endif %}
  {% set absent, waiting, variables = [], [], [] %}
  {% for table in dbt_selfheal_database._survey_initial_data(there) %}
    {% do absent.extend(table.ready) %}
    {% do waiting.extend(table.waiting) %}
    {% do variables.extend(table.waiting | map(attribute='waiting')) %}
  {% endfor %}
  {% set names = variables | unique | join(', ') %}
  {% set text = 'tables: ' ~ tables | length ~ ('; rows missing: ' ~ absent | length if absent else '')
    ~ ('; rows waiting for ' ~ names ~ ': ' ~ waiting | length if waiting else '') ~ ('; tables that do not exist: ' ~ gone | length if gone else '') %}
  {% do return(dbt_selfheal_database._check('initial_data', 'failed' if gone else 'warning' if absent or waiting else 'ok', text ~ ('' if absent or waiting or gone else '; all rows are there'),
    'make its table: ' ~ dbt_selfheal_database._some(gone | map(attribute='title') | list) if gone
      else ('set ' ~ names ~ ' and run ' if waiting else '') ~ 'dbt run-operation seed_initial_data',
    {'tables': tables | length, 'absent': absent | length, 'waiting': waiting | length, 'missing_tables': gone | length})) %}
{% endmacro %}


{# row_counts: rows of the tables among the required relations, of seeds against their files; the numbers are put into the relations. #}
{% macro _check_row_counts(relations, plan) %}
  {% set tables = relations | rejectattr('state', 'in', ['missing', 'wrong_kind']) | rejectattr('resource_type', 'equalto', 'function') | rejectattr('materialization', 'in', ['view', 'ephemeral', 'table_function']) | list %}
  {% set selects, counts, different = [], {}, [] %}
  {% for table in tables %}
    {% do selects.append('select ' ~ loop.index0 ~ ' as number, count(*) as amount from ' ~ api.Relation.create_from(adapter.config, plan.visited[table.unique_id].node)) %}
  {% endfor %}
  {% for batch in selects | batch(100) %}
    {% for row in dbt_selfheal._fetch(batch | join(' union all ')) %}{% do tables[row[0] | int].update({'rows': row[1] | int}) %}{% endfor %}
  {% endfor %}
  {% for table in tables if table.resource_type == 'seed' %}
    {% set node, reader = plan.visited[table.unique_id].node, dbt_selfheal._seed_reader() %}
    {% set file = dbt_selfheal_database._seed_file(node) %}
    {% set header = reader.table.from_csv(file, encoding='utf-8-sig', delimiter=node.config.delimiter, row_limit=0) %}
    {% do table.update({'file_rows': reader.table.from_csv(file, encoding='utf-8-sig', delimiter=node.config.delimiter,
      column_types=[reader.raw] * header.column_names | length).rows | length}) %}
    {% if table.rows < table.file_rows or (table.rows > table.file_rows and not dbt_selfheal_database._is_marked(node)) %}{% do different.append(table) %}{% endif %}
  {% endfor %}
  {% set texts = [] %}
  {% for table in different %}{% do texts.append(table.name ~ ' has ' ~ table.rows ~ ' rows, its file ' ~ table.file_rows) %}{% endfor %}
  {% do return(dbt_selfheal_database._check('row_counts', 'warning' if different else 'ok',
    dbt_selfheal_database._some(texts) or (tables | sum(attribute='rows')) ~ ' rows in ' ~ tables | length ~ ' tables; seeds as in their files',
    'dbt seed --select ' ~ different | map(attribute='name') | join(' '), {'tables': tables | length, 'rows': tables | sum(attribute='rows')})) %}
{% endmacro %}


{# lock, last_initialization (from the history; its details are also put into the report, for its timeline and trends) and
   database_size. #}
{% macro _check_surroundings(settings, report) %}
  {% set checks, holder, attempts = [], dbt_selfheal._lock_holder(target.schema)[0], dbt_selfheal._recorded_attempts(settings) %}
  {% do checks.append(dbt_selfheal_database._check('lock', 'warning' if holder else 'ok', 'an initialization is running: ' ~ holder if holder else 'free',
    'wait for it to end', {'holder': holder})) %}
  {% do report.update({'attempts': attempts, 'history': settings.history}) %}
  {% set last = attempts[-1] if attempts else none %}
  {% if last %}
    {% do checks.append(dbt_selfheal_database._check('last_initialization', 'ok' if last.state == 'completed' else 'warning',
      last.state ~ ' at ' ~ last.started_at ~ ' in ' ~ last.duration_seconds ~ ' s' ~ (': ' ~ last.error if last.error else ''),
      'correct what the message names, then dbt run-operation ensure_initialized', {'state': last.state, 'duration_seconds': last.duration_seconds})) %}
  {% else %}
    {% do checks.append(dbt_selfheal_database._check('last_initialization', 'ok', 'nothing is recorded' ~ ('' if settings.history else ' (vars.dbt_selfheal.history is off)'))) %}
  {% endif %}
  {% set query = dbt_selfheal_database._traits().bytes %}
  {% set bytes = dbt_selfheal._fetch(query)[0][0] | int if query else none %}
  {% set size = 'not known' if bytes is none else (bytes / 1024) | round(1) ~ ' kB' if bytes < 1048576 else (bytes / 1048576) | round(1) ~ ' MB' if bytes < 1073741824
    else (bytes / 1073741824) | round(1) ~ ' GB' %}
  {% do checks.append(dbt_selfheal_database._check('database_size', 'ok', size, none, {'bytes': bytes})) %}
  {% do return(checks) %}
{% endmacro %}
