{#
  History (setting `history: true`): what healing did, in three tables of the package's own: one row per attempt, per step
  and per node built. Rows are only added, and taken away when they are older than `history_days`. Nothing is recorded when
  nothing was missing: the warm path stays as it is.
#}

{# The tables, with their columns. #}
{% macro _attempt_tables() %}
  {% set text, number = dbt.type_string(), 'double precision' %}
  {% set times = 'started_at varchar(32), completed_at varchar(32), duration_seconds ' ~ number ~ ', success boolean' %}
  {% do return({
    'selfheal_attempts': 'attempt_id varchar(64) primary key, state varchar(16), command varchar(64), way varchar(16), missing integer, built integer, step varchar(64), '
      ~ 'error_code varchar(64), error ' ~ text ~ ', target varchar(255), recorded_by varchar(255), host varchar(255), dbt_version varchar(32), ' ~ times,
    'selfheal_steps': 'attempt_id varchar(64) not null, position integer not null, step_name varchar(64), ' ~ times ~ ', primary key (attempt_id, position)',
    'selfheal_nodes': 'attempt_id varchar(64) not null, position integer not null, unique_id ' ~ text ~ ', resource_type varchar(32), ' ~ times ~ ', primary key (attempt_id, position)',
  }) %}
{% endmacro %}


{# Make those of the tables that are not there; the first of the history's views calls it before it is built. (dbt renders
   hooks when it parses, too.) #}
{% macro _create_attempt_tables() %}
  {% for name, columns in dbt_selfheal._attempt_tables().items() if execute %}
    {% set table = dbt_selfheal._own_relation(name) %}
    {% if not dbt_selfheal._own_table_exists(table) %}
      {% if loop.first and not adapter.check_schema_exists(table.database, table.schema) %}{% do adapter.create_schema(table) %}{% endif %}
      {% do adapter.add_query('create table if not exists ' ~ table ~ ' (' ~ columns ~ ')') %}
      {% do adapter.commit() %}
      {% do adapter.cache_added(table) %}
    {% endif %}
  {% endfor %}
{% endmacro %}


{# Whether a table of the package's own is there: dbt's cache can say yes; only the database can say no. #}
{% macro _own_table_exists(table) %}
  {% if adapter.get_relation(table.database, table.schema, table.identifier) %}{% do return(true) %}{% endif %}
  {% do return(adapter.check_schema_exists(table.database, table.schema) and table.identifier in dbt_selfheal._names_in_schema(table.without_identifier())) %}
{% endmacro %}


{# Begin to keep the events of this attempt, where the history is on. #}
{% macro _start_recording(settings) %}
  {% if settings.history %}{% do context.update({'dbt_selfheal_events': []}) %}{% endif %}
{% endmacro %}


{# Record the attempt whose events were kept, and stop keeping them. #}
{% macro _record_events(settings) %}
  {% if settings.history %}
    {% do dbt_selfheal._record_attempt(dbt_selfheal._attempt_of_events(context.pop('dbt_selfheal_events'))) %}
  {% endif %}
{% endmacro %}


{# An attempt, as _record_attempt takes it, out of the events of one that has succeeded. #}
{% macro _attempt_of_events(events) %}
  {% set steps, nodes, last = [], [], events[-1] %}
  {% for event in events %}
    {% if event.event == 'initialization_step_complete' %}{% do steps.append(event) %}{% endif %}
    {% if event.event == 'initialization_node_complete' %}{% do nodes.append(event) %}{% endif %}
  {% endfor %}
  {% do return({
    'attempt_id': local_md5(invocation_id ~ last.started_at), 'state': last.state, 'command': 'dbt ' ~ flags.WHICH, 'way': 'hook', 'started_at': last.started_at,
    'completed_at': last.completed_at, 'duration_seconds': last.duration_seconds, 'missing': last.missing_tables_found | length,
    'built': last.tables_created | length, 'steps': steps, 'nodes': nodes}) %}
{% endmacro %}


{# Write an attempt. attempt: a dict with attempt_id, state, command, way, started_at, completed_at, duration_seconds, missing
   and built (numbers), step, error_code, error, steps (dicts with step_name, times, success) and nodes (with unique_id). The
   wrapper calls it as an operation for what macros cannot record: attempts that failed, and those that it built itself. #}
{% macro _record_attempt(attempt) %}
  {% set settings = dbt_selfheal._settings() %}
  {% if settings.history %}
    {% do dbt_selfheal._create_attempt_tables() %}
    {% set known = ['attempt_id', 'state', 'command', 'way', 'missing', 'built', 'step', 'error_code', 'error', 'started_at', 'completed_at', 'duration_seconds'] %}
    {% set row = {'success': attempt.state == 'completed', 'target': target.name, 'recorded_by': dbt_selfheal_database._user_name(), 'host': dbt_selfheal_database._host_name(), 'dbt_version': dbt_version} %}
    {% for name in known %}{% do row.update({name: attempt.get(name)}) %}{% endfor %}
    {% do dbt_selfheal._insert_history('selfheal_attempts', [row]) %}
    {% set id, times = attempt.attempt_id, ['started_at', 'completed_at', 'duration_seconds', 'success'] %}
    {% do dbt_selfheal._insert_history('selfheal_steps', dbt_selfheal._numbered(id, attempt.steps, ['step_name'] + times)) %}
    {% do dbt_selfheal._insert_history('selfheal_nodes', dbt_selfheal._numbered(id, attempt.nodes, ['unique_id', 'resource_type'] + times)) %}
    {% do dbt_selfheal._forget_old_attempts(settings) %}
    {% do adapter.commit() %}
  {% endif %}
{% endmacro %}


{# Rows of the steps or nodes of an attempt. #}
{% macro _numbered(attempt_id, events, names) %}
  {% set rows = [] %}
  {% for event in events %}
    {% set row = {'attempt_id': attempt_id, 'position': loop.index} %}
    {% for name in names %}{% do row.update({name: event.get(name)}) %}{% endfor %}
    {% do rows.append(row) %}
  {% endfor %}
  {% do return(rows) %}
{% endmacro %}


{# Insert rows, which have the same columns, in the transaction that is open, or in a new one. #}
{% macro _insert_history(name, rows) %}
  {% for chunk in rows | batch(200) %}
    {% set values = [] %}
    {% for row in chunk %}{% do values.append('(' ~ dbt_selfheal_database._literals(row.values()) | join(', ') ~ ')') %}{% endfor %}
    {% do adapter.add_query('insert into ' ~ dbt_selfheal._own_relation(name) ~ ' (' ~ chunk[0] | join(', ') ~ ') values ' ~ values | join(', ')) %}
  {% endfor %}
{% endmacro %}


{# Delete what is older than the setting `history_days`. Times are texts of one form, which sort as times. #}
{% macro _forget_old_attempts(settings) %}
  {% if settings.history_days is not none %}
    {% set limit = dbt_selfheal._iso(dbt_selfheal._now() - modules.datetime.timedelta(days=settings.history_days)) %}
    {% set attempts = dbt_selfheal._own_relation('selfheal_attempts') %}
    {% for name in ('selfheal_nodes', 'selfheal_steps') %}
      {% do adapter.add_query('delete from ' ~ dbt_selfheal._own_relation(name) ~ ' where attempt_id in (select attempt_id from ' ~ attempts
        ~ ' where started_at < ' ~ dbt_selfheal._literal(limit) ~ ')') %}
    {% endfor %}
    {% do adapter.add_query('delete from ' ~ attempts ~ ' where started_at < ' ~ dbt_selfheal._literal(limit)) %}
  {% endif %}
{% endmacro %}
