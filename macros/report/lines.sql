{#
  What healing says: readable lines in dbt's own voice, and events. Every step and every node emits one JSON object as the
  message of a dbt log event, at debug level, so that people see only the lines, and logs/dbt.log and --log-format json
  have it all.
#}

{# A readable line, with dots up to the status where there is one. text, status: strings; asked: whether it is what an operation was
   asked to print, which dbt's flags for its own logging do not silence. #}
{% macro _line(text, status=none, asked=false) %}
  {% if asked and (flags.QUIET or invocation_args_dict.get('log_level') in ('warn', 'error', 'none')) %}
    {% do return(print(text)) %}
  {% endif %}
  {% do log(text if status is none else text ~ ' ' ~ '.' * [3, 79 - text | length] | max ~ ' [' ~ status ~ ']', info=true) %}
{% endmacro %}


{# Emit one event, and keep it while an attempt is recorded (see history/). event: the name; fields: dict of plain values. #}
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
  {% do return(moment.strftime('%Y-%m-%dT%H:%M:%S.%f')[:23] ~ 'Z') %}
{% endmacro %}


{# The fields of an event about something that began at a time and has ended now: started_at, completed_at, duration_seconds. #}
{% macro _times(started_at) %}
  {% set now = dbt_selfheal._now() %}
  {% do return({'started_at': dbt_selfheal._iso(started_at), 'completed_at': dbt_selfheal._iso(now),
                'duration_seconds': (now - started_at).total_seconds() | round(3)}) %}
{% endmacro %}


{# Announce that a step starts, given its name (returns its handle), or that it is complete, given the handle. #}
{% macro _step(step) %}
  {% if step is mapping %}
    {% do return(dbt_selfheal._emit('initialization_step_complete', dict(dbt_selfheal._times(step.started_at), step_name=step.step_name, success=true))) %}
  {% endif %}
  {% set started_at = dbt_selfheal._now() %}
  {% do dbt_selfheal._emit('initialization_step_started', {'step_name': step, 'started_at': dbt_selfheal._iso(started_at)}) %}
  {% do return({'step_name': step, 'started_at': started_at}) %}
{% endmacro %}
