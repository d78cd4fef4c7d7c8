{#
  verify_initialized: is the workspace ready? For scripts and CI.
#}

{# Ask the database itself whether every required relation is there; an error names those that are not.
   Builds nothing. select: as for ensure_initialized. #}
{% macro verify_initialized(select=none) %}
  {% set settings = dbt_selfheal._settings() %}
  {% set plan = dbt_selfheal._current_plan(settings, select) %}
  {% set entries = plan.visited.values() | selectattr('unique_id', 'in', plan.required) | selectattr('node')
    | rejectattr('node.config.materialized', 'equalto', 'ephemeral') | list %}
  {% set absent = dbt_selfheal._absent(entries) %}
  {% if absent %}
    {% set names = absent | map(attribute='node') | map(attribute='name') | list %}
    {% do dbt_selfheal._raise(names | length ~ ' of ' ~ entries | length ~ ' required relations are missing: ' ~ names[:12] | join(', ') ~ (', ...' if names | length > 12 else '')
      ~ '\nBuild them with ' ~ (dbt_selfheal._build_command(plan, absent) if dbt_version >= '2' else '`dbt run-operation ensure_initialized`, or with any dbt command.')) %}
  {% endif %}
  {% do dbt_selfheal._line('The one required relation exists.' if entries | length == 1 else 'All ' ~ entries | length ~ ' required relations exist.', asked=true) %}
{% endmacro %}
