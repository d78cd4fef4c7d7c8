{#
  Events (NFR-001, NFR-002): every step and every node emits one JSON object as the message of a dbt log event, at
  debug level, so that people see only the readable lines, and logs/dbt.log and --log-format json have it all.
#}

{# Emit one event, and keep it while an attempt is recorded (macros/history). event: the name; fields: a dict of plain values. #}
{% macro _emit(event, fields) %}
  {% do log(tojson(dict({'event': event}, **fields)), info=false) %}
  {% if dbt_selfheal_events is defined %}{% do dbt_selfheal_events.append(dict(fields, event=event)) %}{% endif %}
{% endmacro %}


{# The time now (UTC, datetime with time zone). #}
{% macro _now() %}
  {% do return(modules.datetime.datetime.now(modules.pytz.utc)) %}
{% endmacro %}


{# A datetime as ISO 8601 in UTC with a Z, to the millisecond. #}
{% macro _iso(moment) %}
  {% do return(moment.strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3] ~ 'Z') %}
{% endmacro %}


{# Announce that a step starts; returns its handle for _step_complete. #}
{% macro _step_started(step_name) %}
  {% set step = {'step_name': step_name, 'started_at': dbt_selfheal._now()} %}
  {% do dbt_selfheal._emit('initialization_step_started', {'step_name': step_name, 'started_at': dbt_selfheal._iso(step.started_at)}) %}
  {% do return(step) %}
{% endmacro %}


{# Announce that a step is complete. #}
{% macro _step_complete(step, success=true) %}
  {% set now = dbt_selfheal._now() %}
  {% do dbt_selfheal._emit('initialization_step_complete', {
    'step_name': step.step_name,
    'started_at': dbt_selfheal._iso(step.started_at),
    'completed_at': dbt_selfheal._iso(now),
    'duration_seconds': (now - step.started_at).total_seconds() | round(3),
    'success': success,
  }) %}
{% endmacro %}


{# A readable line, in dbt's own voice: dots up to the status. #}
{% macro _line(text, status=none) %}
  {% if status is none %}
    {% do log(text, info=true) %}
  {% else %}
    {% set dots = '.' * [3, 79 - text | length] | max %}
    {% do log(text ~ ' ' ~ dots ~ ' [' ~ status ~ ']', info=true) %}
  {% endif %}
{% endmacro %}
