{#
  initialization_plan: the dry run.
#}

{# Print, and emit as one JSON event, what is required, what is missing, and what would be built in which order and
   why. Builds nothing. select: as for ensure_initialized. #}
{% macro initialization_plan(select=none) %}
  {% set settings = dbt_selfheal._settings() %}
  {% set plan = dbt_selfheal._current_plan(settings, select) %}
  {% do plan.update({'missing_sources': dbt_selfheal._missing_sources(plan)}) %}
  {% do dbt_selfheal._emit_plan(plan, not settings.enabled or (settings.targets and target.name not in settings.targets)) %}
  {% if not plan.steps %}
    {% do return(dbt_selfheal._line(('The one required relation exists' if plan.required | length == 1 else 'All ' ~ plan.required | length ~ ' required relations exist') ~ '. Nothing to build.', asked=true)) %}
  {% endif %}
  {% set lines = ['Missing: ' ~ plan.steps | length ~ ' (required: ' ~ plan.required | length ~ '). To build, in this order:'] + dbt_selfheal._plan_lines(plan.steps) %}
  {% for source in plan.missing_sources %}{% do lines.append('Missing source: ' ~ source.name ~ ' (' ~ source.relation ~ ')' ~ (', read by ' ~ source.read_by.split('.')[2:] | join('.') if source.read_by else '')) %}{% endfor %}
  {% if plan.missing_sources | selectattr('stops') | first is defined %}
    {% do lines.append('Load what is missing there first: nothing can be built without it.') %}
  {% elif plan.steps | selectattr('refusal') | first is defined or dbt_version >= '2' %}
    {% do lines.append('Build them with:\n  ' ~ dbt_selfheal._build_command(plan, plan.steps)) %}
  {% else %}
    {% do lines.append('Run any dbt command, or `dbt run-operation ensure_initialized`, to build them.') %}
  {% endif %}
  {% do dbt_selfheal._line(lines | join('\n'), asked=true) %}
{% endmacro %}


{# Emit the plan as one JSON event. #}
{% macro _emit_plan(plan, off=false) %}
  {% set steps, required = [], dbt_selfheal._required_relations(plan) %}
  {% set there = required | selectattr('exists') | map(attribute='unique_id') | list %}
  {% for entry in plan.steps %}
    {% do steps.append({
      'unique_id': entry.unique_id, 'name': entry.node.name, 'resource_type': entry.node.resource_type | string,
      'tier': 'seed' if entry.node.resource_type == 'seed' else 'foundation', 'materialization': entry.node.config.materialized or entry.node.resource_type,
      'relation': entry.node.relation_name, 'path': entry.node.original_file_path, 'reason': entry.reason,
      'required': entry.unique_id in plan.required, 'refusal': entry.refusal, 'held_up_by': (entry.held_up_by or {}) | list, 'cloned_from': entry.clone.relation_name if entry.clone else none}) %}
  {% endfor %}
  {% do dbt_selfheal._emit('initialization_plan', {
    'state': 'completed' if there | length == required | length else 'incomplete' if there else 'not_started', 'enabled': not off, 'required': plan.required, 'steps': steps,
    'present': there,
    'postponed': plan.postponed | map(attribute='unique_id') | list, 'missing_sources': plan.missing_sources,
    'command': dbt_selfheal._build_command(plan, plan.steps) if plan.steps else none}) %}
{% endmacro %}


{# The steps of a plan as lines for people. #}
{% macro _plan_lines(steps) %}
  {% set names, kinds, lines = [], [], [] %}
  {% for entry in steps %}
    {% do names.append(entry.node.schema ~ '.' ~ entry.node.alias) %}
    {% do kinds.append(entry.node.resource_type | string) %}
  {% endfor %}
  {% set widths = (kinds | map('length') | max, [names | map('length') | max, 44] | min) %}
  {% for entry in steps %}
    {% do lines.append(('%3d  ' | format(loop.index)) ~ kinds[loop.index0].ljust(widths[0]) ~ '  ' ~ names[loop.index0].ljust(widths[1]) ~ '  ' ~ entry.reason) %}
    {% if entry.refusal %}{% do lines.append('     cannot be built from a hook: ' ~ entry.refusal) %}{% endif %}
  {% endfor %}
  {% do return(lines) %}
{% endmacro %}
