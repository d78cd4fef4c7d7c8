{#
  initialization_plan: the dry run.
#}

{# Print, and emit as one JSON event, what is required, what is missing, and what would be built in which order and
   why. Builds nothing. select: as for ensure_initialized. #}
{% macro initialization_plan(select=none) %}
  {% set settings = dbt_selfheal._settings() %}
  {% set plan = dbt_selfheal._current_plan(settings, select) %}
  {% do dbt_selfheal._emit_plan(plan, not settings.enabled or (settings.targets and target.name not in settings.targets)) %}
  {% if not plan.steps %}
    {% do return(dbt_selfheal._line('All ' ~ plan.required | length ~ ' required relations exist. Nothing to build.', asked=true)) %}
  {% endif %}
  {% set names, kinds = [], [] %}
  {% for entry in plan.steps %}
    {% do names.append(entry.node.schema ~ '.' ~ entry.node.alias) %}
    {% do kinds.append(entry.node.resource_type | string) %}
  {% endfor %}
  {% set width, kind_width = [names | map('length') | max, 44] | min, kinds | map('length') | max %}
  {% set lines = ['Missing: ' ~ plan.steps | length ~ ' (required: ' ~ plan.required | length ~ '). To build, in this order:'] %}
  {% for entry in plan.steps %}
    {% do lines.append(('%3d  ' | format(loop.index)) ~ kinds[loop.index0].ljust(kind_width) ~ '  ' ~ names[loop.index0].ljust(width) ~ '  ' ~ entry.reason) %}
    {% if entry.clone %}{% do lines.append('     cloned from ' ~ entry.clone.relation_name) %}{% endif %}
    {% if entry.refusal %}{% do lines.append('     cannot be built from a hook: ' ~ entry.refusal) %}{% endif %}
  {% endfor %}
  {% if plan.steps | selectattr('refusal') | first is defined %}
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
      'tier': 'seed' if entry.node.resource_type == 'seed' else 'foundation', 'materialization': entry.node.config.materialized,
      'relation': entry.node.relation_name, 'path': entry.node.original_file_path, 'reason': entry.reason,
      'required': entry.unique_id in plan.required, 'refusal': entry.refusal, 'cloned_from': entry.clone.relation_name if entry.clone else none}) %}
  {% endfor %}
  {% do dbt_selfheal._emit('initialization_plan', {
    'state': 'completed' if there | length == required | length else 'incomplete' if there else 'not_started', 'enabled': not off, 'required': plan.required, 'steps': steps,
    'present': there,
    'postponed': plan.postponed | map(attribute='unique_id') | list,
    'command': dbt_selfheal._build_command(plan, plan.steps) if plan.steps else none}) %}
{% endmacro %}
