{#
  initialization_status: which required relations are there.
#}

{# Print, and emit as one JSON event, the state of the workspace and each required relation with its tier and presence.
   The state is derived, never stored: in_progress (another initialization holds the lock), completed (all required
   relations exist), not_started (none), failed (some). Builds nothing.
   select: as for ensure_initialized. Returns the status as a dict. #}
{% macro initialization_status(select=none) %}
  {% set settings = dbt_selfheal._settings() %}
  {% set status = dbt_selfheal._status(dbt_selfheal._current_plan(settings, select)) %}
  {% do dbt_selfheal._emit('initialization_status', status) %}
  {% set missing = status.required | rejectattr('exists') | list %}
  {% if status.lock_holder %}{% do log('Initializing now: ' ~ status.lock_holder, info=true) %}{% endif %}
  {% do log('State: ' ~ status.state ~ ' (' ~ (status.required | length - missing | length) ~ ' of ' ~ status.required | length
    ~ ' required relations exist)', info=true) %}
  {% for entry in status.required %}
    {% do log('  ' ~ ('ok      ' if entry.exists else 'MISSING ') ~ entry.resource_type.ljust(9) ~ entry.display_name, info=true) %}
  {% endfor %}
  {% do return(status) %}
{% endmacro %}


{# The status as a dict: state, lock_holder, and required: one dict per required relation. #}
{% macro _status(plan) %}
  {% set required, holder = dbt_selfheal._required_relations(plan), dbt_selfheal._lock_holder(target.schema) %}
  {% do return({'state': 'in_progress' if holder else dbt_selfheal._state(required), 'required': required, 'lock_holder': holder}) %}
{% endmacro %}


{# The required relations of a plan: a list with one dict each. #}
{% macro _required_relations(plan) %}
  {% set required = [] %}
  {% for unique_id in plan.required %}
    {% set entry = plan.visited.get(unique_id) %}
    {% if entry and entry.node and not entry.node.is_ephemeral_model %}
      {% do required.append({
        'unique_id': unique_id, 'name': entry.node.name, 'resource_type': entry.node.resource_type | string,
        'tier': 'seed' if entry.node.resource_type == 'seed' else 'foundation', 'relation': entry.node.relation_name,
        'display_name': dbt_selfheal._display_name(entry.node), 'exists': not entry.missing, 'reason': entry.reason}) %}
    {% endif %}
  {% endfor %}
  {% do return(required) %}
{% endmacro %}


{# The state of a workspace, from its required relations: completed (all exist), not_started (none), failed (some). #}
{% macro _state(required) %}
  {% set there = required | selectattr('exists') | list | length %}
  {% do return('completed' if there == required | length else 'failed' if there else 'not_started') %}
{% endmacro %}
