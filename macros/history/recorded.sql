{#
  What the history says, for status and health.
#}

{# The last attempts, the newest last, as dicts of plain values; the newest with its steps and nodes. Empty where nothing is recorded. #}
{% macro _recorded_attempts(settings, limit=50) %}
  {% set attempts, table, times = [], dbt_selfheal._own_relation('selfheal_attempts'), ['started_at', 'completed_at', 'duration_seconds'] %}
  {% if not settings.history or dbt_selfheal._absent([{'node': {'database': table.database, 'schema': table.schema, 'alias': table.identifier}}]) %}
    {% do return(attempts) %}
  {% endif %}
  {% for name, columns in {
      'selfheal_attempts': ['attempt_id', 'state', 'command', 'way', 'missing', 'built', 'step', 'error_code', 'error'] + times,
      'selfheal_steps': ['step_name'] + times + ['success'],
      'selfheal_nodes': ['unique_id', 'resource_type'] + times + ['success']}.items() if name == 'selfheal_attempts' or attempts %}
    {% set rows, first = [], name == 'selfheal_attempts' %}
    {% set tail = 'order by started_at desc limit ' ~ limit if first else 'where attempt_id = ' ~ dbt_selfheal._literal(attempts[-1].attempt_id) ~ ' order by position' %}
    {% for row in dbt_selfheal._fetch('select ' ~ columns | join(', ') ~ ' from ' ~ dbt_selfheal._own_relation(name) ~ ' ' ~ tail) %}
      {% set entry = dict(zip(columns, row.values())) %}
      {% for key in ('missing', 'built') if entry.get(key) is not none and key in entry %}{% do entry.update({key: entry[key] | int}) %}{% endfor %}
      {% if entry.duration_seconds is not none %}{% do entry.update({'duration_seconds': entry.duration_seconds | float | round(3)}) %}{% endif %}
      {% if 'success' in entry %}{% do entry.update({'success': entry.success is not none and entry.success | int == 1}) %}{% endif %}
      {% do rows.append(entry) %}
    {% endfor %}
    {% if first %}{% do attempts.extend(rows | reverse) %}{% else %}{% do attempts[-1].update({name.split('_')[1]: rows}) %}{% endif %}
  {% endfor %}
  {% do return(attempts) %}
{% endmacro %}
