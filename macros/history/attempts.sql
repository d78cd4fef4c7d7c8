{#
  History (setting `history: true`): what healing did, in three tables of the package's own: one row per attempt, per step
  and per node built. Rows are only added, and taken away when they are older than `history_days`. Nothing is recorded when
  nothing was missing: the warm path stays as it is.
#}

{# Make those of the tables that are not there; the first of the history's views calls it before it is built. (dbt renders
   hooks when it parses, too.) #}
{% macro _create_attempt_tables() %}
  {% set text, number = dbt.type_string(), 'double precision' %}
  {% set times = 'started_at varchar(32), completed_at varchar(32), duration_seconds ' ~ number ~ ', success boolean' %}
  {% set tables = {
    'selfheal_attempts': 'attempt_id varchar(64) primary key, state varchar(16), command varchar(64), way varchar(16), missing integer, built integer, step varchar(64), '
      ~ 'error_code varchar(64), error ' ~ text ~ ', target varchar(255), recorded_by varchar(255), host varchar(255), dbt_version varchar(32), ' ~ times,
    'selfheal_steps': 'attempt_id varchar(64) not null, position integer not null, step_name varchar(64), ' ~ times ~ ', primary key (attempt_id, position)',
    'selfheal_nodes': 'attempt_id varchar(64) not null, position integer not null, unique_id ' ~ text ~ ', resource_type varchar(32), ' ~ times ~ ', primary key (attempt_id, position)',
  } %}
  {% for name, columns in tables.items() if execute %}
    {% set table = dbt_selfheal._own_relation(name) %}
    {% if dbt_selfheal._absent([{'node': {'database': table.database, 'schema': table.schema, 'alias': table.identifier}}]) %}
      {% if loop.first and not adapter.check_schema_exists(table.database, table.schema) %}{% do adapter.create_schema(table) %}{% endif %}
      {% do adapter.add_query('create table if not exists ' ~ table ~ ' (' ~ columns ~ ')') %}
      {% do adapter.commit() %}
      {% do adapter.cache_added(table) %}
    {% endif %}
  {% endfor %}
{% endmacro %}


{# A relation of the package's own: in the setting `schema`, by default the target's. (The settings are not read when dbt
   parses the models of the history, which would be parsed again whenever the environment variable of the off switch changes.) #}
{% macro _own_relation(name) %}
  {% do return(api.Relation.create(database=target.database, schema=(execute and dbt_selfheal._settings().schema) or target.schema, identifier=name, type='table')) %}
{% endmacro %}


{# Write an attempt, with who ran dbt (the database's user where it has users, else the system's; the wrapper sets DBT_SELFHEAL_USER and
   _HOST). attempt: a dict with attempt_id, state, command, way, started_at, completed_at, duration_seconds, missing
   and built (numbers), step, error_code, error, steps (dicts with step_name, times, success) and nodes (with unique_id). The
   wrapper calls it as an operation for what macros cannot record: attempts that failed, and those that it built itself.
   events: in place of it, the events that were kept of an attempt that has succeeded. #}
{% macro _record_attempt(attempt=none, events=none) %}
  {% set settings, query = dbt_selfheal._settings(), dbt_selfheal._traits().host_name %}
  {% if events %}
    {% set last = events[-1] %}
    {% set attempt = dict(last, attempt_id=local_md5(invocation_id ~ last.started_at), command='dbt ' ~ flags.WHICH, way='hook', missing=last.missing_tables_found | length,
      built=last.tables_created | length, steps=events | selectattr('event', 'equalto', 'initialization_step_complete') | list,
      nodes=events | selectattr('event', 'equalto', 'initialization_node_complete') | list) %}
  {% endif %}
  {% if settings.history %}
    {% do dbt_selfheal._create_attempt_tables() %}
    {% set times = ['started_at', 'completed_at', 'duration_seconds', 'success'] %}
    {% set row = {'success': attempt.state == 'completed', 'target': target.name, 'dbt_version': dbt_version,
      'recorded_by': target.get('user') or env_var('DBT_SELFHEAL_USER', env_var('USER', env_var('LOGNAME', env_var('USERNAME', '')))) or none,
      'host': env_var('DBT_SELFHEAL_HOST', env_var('HOSTNAME', env_var('COMPUTERNAME', ''))) or (dbt_selfheal._fetch(query)[0][0] if query else none)} %}
    {% set known, inserts = ['attempt_id', 'state', 'command', 'way', 'missing', 'built', 'step', 'error_code', 'error'] + times[:3], [] %}
    {% do inserts.append(('selfheal_attempts', [dict(attempt, **row)], known + row | list)) %}
    {% for table, events, key in [('selfheal_steps', attempt.steps, ['step_name']), ('selfheal_nodes', attempt.nodes, ['unique_id', 'resource_type'])] %}
      {% set rows = [] %}
      {% for event in events %}{% do rows.append(dict(event, attempt_id=attempt.attempt_id, position=loop.index)) %}{% endfor %}
      {% do inserts.append((table, rows, ['attempt_id', 'position'] + key + times)) %}
    {% endfor %}
    {% for table, rows, columns in inserts %}
      {% for chunk in rows | batch(200) %}
        {% set values = [] %}
        {% for row in chunk %}
          {% set fields = [] %}
          {% for column in columns %}
            {% set value = row.get(column) %}
            {% do fields.append('null' if value is none else value | string | lower if value is boolean else value | string if value is number else dbt_selfheal._literal(value | string)) %}
          {% endfor %}
          {% do values.append('(' ~ fields | join(', ') ~ ')') %}
        {% endfor %}
        {% do adapter.add_query('insert into ' ~ dbt_selfheal._own_relation(table) ~ ' (' ~ columns | join(', ') ~ ') values ' ~ values | join(', ')) %}
      {% endfor %}
    {% endfor %}
    {% if settings.history_days is not none %}  {# times are texts of one form, which sort as times #}
      {% set attempts, limit = dbt_selfheal._own_relation('selfheal_attempts'), dbt_selfheal._iso(dbt_selfheal._now() - modules.datetime.timedelta(days=settings.history_days)) %}
      {% for name in ('selfheal_nodes', 'selfheal_steps') %}
        {% do adapter.add_query('delete from ' ~ dbt_selfheal._own_relation(name) ~ ' where attempt_id in (select attempt_id from ' ~ attempts
          ~ ' where started_at < ' ~ dbt_selfheal._literal(limit) ~ ')') %}
      {% endfor %}
      {% do adapter.add_query('delete from ' ~ attempts ~ ' where started_at < ' ~ dbt_selfheal._literal(limit)) %}
    {% endif %}
    {% do adapter.commit() %}
  {% endif %}
{% endmacro %}
