{#
  What the history says, for status and health.
#}

{# The last attempts, the newest last, as dicts; the newest with its steps and nodes. Empty where nothing is recorded. #}
{% macro _recorded_attempts(settings, limit=50) %}
  {% set attempts = [] %}
  {% if settings.history and dbt_selfheal._own_table_exists(dbt_selfheal._own_relation('selfheal_attempts')) %}
    {% set columns = ['attempt_id', 'state', 'command', 'way', 'missing', 'built', 'step', 'error_code', 'error', 'started_at', 'completed_at', 'duration_seconds'] %}
    {% for row in dbt_selfheal._own_rows('selfheal_attempts', columns, 'order by started_at desc limit ' ~ limit) | reverse %}{% do attempts.append(row) %}{% endfor %}
    {% if attempts %}
      {% set where, times = 'where attempt_id = ' ~ dbt_selfheal._literal(attempts[-1].attempt_id) ~ ' order by position', ['started_at', 'completed_at', 'duration_seconds', 'success'] %}
      {% do attempts[-1].update({'steps': dbt_selfheal._own_rows('selfheal_steps', ['step_name'] + times, where),
                                 'nodes': dbt_selfheal._own_rows('selfheal_nodes', ['unique_id', 'resource_type'] + times, where)}) %}
    {% endif %}
  {% endif %}
  {% do return(attempts) %}
{% endmacro %}


{# Rows of one of the package's own tables, as dicts of plain values. #}
{% macro _own_rows(name, columns, tail) %}
  {% set rows = [] %}
  {% for row in dbt_selfheal._fetch('select ' ~ columns | join(', ') ~ ' from ' ~ dbt_selfheal._own_relation(name) ~ ' ' ~ tail) %}
    {% set entry = dict(zip(columns, row.values())) %}
    {% for key in ('missing', 'built') if entry.get(key) is not none and key in entry %}{% do entry.update({key: entry[key] | int}) %}{% endfor %}
    {% if entry.get('duration_seconds') is not none %}{% do entry.update({'duration_seconds': entry.duration_seconds | float | round(3)}) %}{% endif %}
    {% if 'success' in entry %}{% do entry.update({'success': entry.success is not none and entry.success | int == 1}) %}{% endif %}
    {% do rows.append(entry) %}
  {% endfor %}
  {% do return(rows) %}
{% endmacro %}
