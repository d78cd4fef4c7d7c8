{#
  initialization_status: which required relations are there.
#}

{# Print, and emit as one JSON event, the state of the workspace, each required relation with its tier and presence, the
   pending migrations, the last attempt that the history has, and who holds the lock. The state is derived, never stored:
   in_progress (another initialization holds the lock), completed (all required relations exist), failed (not all, and the last attempt that the
   history has failed), not_started (none), incomplete (some). Builds nothing. select: as for ensure_initialized. Returns the status as a dict. #}
{% macro initialization_status(select=none) %}
  {% set settings = dbt_selfheal._settings() %}
  {% set required, holder = dbt_selfheal._required_relations(dbt_selfheal._current_plan(settings, select)), dbt_selfheal._lock_holder(target.schema)[0] %}
  {% set there = required | selectattr('exists') | list | length %}
  {% set last = {} %}
  {% for attempt in dbt_selfheal._recorded_attempts(settings, 1) %}
    {% for key in ('state', 'command', 'started_at', 'completed_at', 'duration_seconds', 'step', 'error_code', 'error') %}{% do last.update({key: attempt[key]}) %}{% endfor %}
  {% endfor %}
  {% set status = {
    'state': 'in_progress' if holder else 'completed' if there == required | length else 'failed' if last.state == 'failed' else 'incomplete' if there else 'not_started',
    'required': required, 'lock_holder': holder, 'pending_migrations': dbt_selfheal_database._pending_titles(settings) if dbt_selfheal_database is defined else [], 'last_attempt': last or none} %}
  {% do dbt_selfheal._emit('initialization_status', status) %}
  {% set lines = ['State: ' ~ status.state ~ ' (' ~ there ~ ' of ' ~ status.required | length ~ ' required relations exist)'] %}
  {% for entry in status.required %}
    {% do lines.append('  ' ~ ('ok      ' if entry.exists else 'MISSING ') ~ entry.resource_type.ljust(9) ~ entry.display_name) %}
  {% endfor %}
  {% if status.lock_holder %}{% do lines.append('Initializing now: ' ~ status.lock_holder) %}{% endif %}
  {% if status.pending_migrations %}{% do lines.append('Pending migrations: ' ~ status.pending_migrations | join(', ')) %}{% endif %}
  {% if last %}
    {% set said = (last.error or '').split('\n') %}  {# what ends with a colon is said with what follows #}
    {% do lines.append('Last attempt: ' ~ last.state ~ ' in ' ~ last.duration_seconds ~ ' s at ' ~ last.started_at ~ (': ' ~ said[0] ~ (' ' ~ said[1:] | map('trim') | join('; ') if said[0].endswith(':') else '') if last.error else '')) %}
  {% endif %}
  {% for line in lines %}{% do dbt_selfheal._line(line, asked=true) %}{% endfor %}
  {% do return(status) %}
{% endmacro %}


{# The required relations of a plan: a list with one dict each. #}
{% macro _required_relations(plan) %}
  {% set required = [] %}
  {% for unique_id in plan.required %}
    {% set entry = plan.visited.get(unique_id) %}
    {% if entry and entry.node and entry.node.config.materialized != 'ephemeral' %}
      {% do required.append({
        'unique_id': unique_id, 'name': entry.node.name, 'resource_type': entry.node.resource_type | string,
        'tier': 'seed' if entry.node.resource_type == 'seed' else 'foundation', 'relation': entry.node.relation_name,
        'display_name': entry.node.schema ~ '.' ~ entry.node.alias, 'exists': not entry.missing, 'reason': entry.reason}) %}
    {% endif %}
  {% endfor %}
  {% do return(required) %}
{% endmacro %}
