{#
  ensure_initialized: the package's on-run-start hook, and an operation.
#}

{# Make sure that every relation that the running command reads, or that the project declares required, exists:
   find what is missing, build it in dependency order, verify it in the database.
   With nothing missing it does next to nothing, and in a hook prints nothing. (Most of what it costs then is that dbt
   compiles the source of each macro that is called: what is on this path is kept short.) In other programs that load
   a dbt project and render its hooks themselves, it does nothing.

   select: list of node names, tag:x, path:x to require instead of the declared ones (operation only). #}
{% macro ensure_initialized(select=none) %}
  {% if execute and sqlmesh is not defined and flags.WHICH in ('build', 'run', 'seed', 'snapshot', 'test', 'retry', 'run-operation') and (
      dbt_version >= '2' or dbt_selfheal_database is defined or flags.WHICH == 'run-operation' or var('dbt_selfheal', none) or env_var('DBT_SELFHEAL_ENABLED', '') or not dbt_selfheal._is_satisfied()) %}
    {% do dbt_selfheal._as_set(dbt_selfheal._settings(), select) %}
  {% endif %}
{% endmacro %}


{# The same where something is set, the second package is there, or it is an operation; where none of this is so, it is known that something is missing. #}
{% macro _as_set(settings, select) %}
  {% set operation, active = flags.WHICH == 'run-operation', settings.enabled and (not settings.targets or target.name in settings.targets) %}
  {% set is_set = var('dbt_selfheal', none) or env_var('DBT_SELFHEAL_ENABLED', '') %}
  {% set migrated = settings.enabled and dbt_selfheal_database is defined and dbt_selfheal_database._before_healing(settings, active) %}
  {% if active %}
    {% if not (is_set or dbt_selfheal_database is defined) or migrated or operation or settings.initial_data or settings.migrations or dbt_version >= '2' or not dbt_selfheal._is_satisfied(dbt_selfheal._declared(settings.required) | list if settings.required else []) %}
      {% do dbt_selfheal._ensure(settings, select, migrated) %}
    {% endif %}
  {% elif operation %}
    {% do dbt_selfheal._line('Self-healing: off, by setting or in this target; nothing was done') %}
  {% endif %}
{% endmacro %}


{# The long way: plan, and act on what is missing as `on_missing` says; then initial data. On dbt v2, where a hook can build no node, what is
   missing stops the command with the command that builds it; what may not be needed stops nothing.
   migrated: whether migrations have been applied just now. #}
{% macro _ensure(settings, select, migrated) %}
  {% set operation, database, v2, names = flags.WHICH == 'run-operation', dbt_selfheal_database is defined, dbt_version >= '2', {} %}
  {% if (settings.initial_data or settings.migrations) and not database %}
    {% do dbt_selfheal._raise('vars.dbt_selfheal.' ~ ('initial_data' if settings.initial_data else 'migrations') ~ ' needs the package dbt_selfheal_database, which is not installed.'
      ~ '\nAdd it to packages.yml (`- local: path/to/dbt-selfheal/database`, or `git:` with `subdirectory: database`) and run `dbt deps`, or take the setting out', 'dbt_project.yml') %}
  {% endif %}
  {% set expects = settings.initial_data and not v2 and dbt_selfheal_database._expects_rows(settings) %}
  {% if not v2 and not migrated and not operation and (settings.initial_data or settings.migrations) and dbt_selfheal._is_satisfied(dbt_selfheal._declared(settings.required) | list if settings.required else [])
      and not expects %}
    {% do return(none) %}
  {% endif %}
  {% if flags.WHICH in ('run', 'build', 'retry') and dbt_selfheal._traits().bound_views %}{% do dbt_selfheal._raise_cascades(dbt_selfheal._selected(), names) %}{% endif %}
  {% set plan = dbt_selfheal._current_plan(settings, select, names) %}
  {% if plan.steps %}{% do dbt_selfheal._leave_for_retry() %}{% endif %}
  {% if plan.steps and settings.on_missing in ('build', 'clone') and not v2 %}
    {% do dbt_selfheal._build_plan(plan, settings) %}
  {% elif plan.steps %}
    {% do dbt_selfheal._tell_missing(plan, settings.on_missing, operation) %}
  {% elif operation %}
    {% do dbt_selfheal._line('Self-healing: ' ~ ('the one required relation exists' if plan.required | length == 1 else 'all ' ~ plan.required | length ~ ' required relations exist') ~ '; nothing to do') %}
  {% endif %}
  {% if database and (plan.missing or migrated or flags.WHICH in ('build', 'seed', 'run-operation') or expects) %}
    {% do dbt_selfheal_database._load_initial_data(settings) %}
    {% do dbt_selfheal._discard_open_transaction() %}
  {% endif %}
{% endmacro %}


{# Say what is missing and not built, and which command builds it: an error, but where `on_missing` is `warn`. On dbt v2 the plan is emitted besides. #}
{% macro _tell_missing(plan, on_missing, operation) %}
  {% set v2, count, warns, refused = dbt_version >= '2', plan.steps | length, on_missing == 'warn', plan.steps | selectattr('refusal') | list %}
  {% if v2 and plan.steps | selectattr('certain') | first is not defined %}
    {% do return(dbt_selfheal._line('Self-healing: ' ~ plan.steps | map(attribute='node') | map(attribute='name') | join(', ') ~ ' may be needed, and does not exist')) %}
  {% endif %}
  {% set text = count ~ (' relation is' if count == 1 else ' relations are') ~ ' missing: ' ~ (plan.steps | map(attribute='node') | map(attribute='name') | list)[:12] | join(', ') ~ (', ...' if count > 12 else '')
    ~ '\nvars.dbt_selfheal.on_missing is ' ~ on_missing ~ '. Build ' ~ ('it' if count == 1 else 'them') ~ ' with:\n  ' %}
  {% if v2 %}  {# dbt-selfheal reads the event of the plan, and builds what it has #}
    {% do plan.update({'missing': plan.steps | map(attribute='unique_id') | list, 'missing_sources': dbt_selfheal._missing_sources(plan)}) %}
    {% set held_up = plan.steps | selectattr('held_up_by') | list if refused else [] %}
    {% for source in plan.missing_sources if source.stops and not warns and source.read_by not in held_up | map(attribute='unique_id') %}{% do dbt_selfheal._raise(source.message) %}{% endfor %}
    {% do dbt_selfheal._emit_plan(plan) %}
    {% if refused and not warns %}{% do dbt_selfheal._raise_refusals(plan, held_up, 0) %}{% endif %}
    {% set shown = dbt_selfheal._plan_lines(plan.steps) %}
    {% set text = count ~ (' required' if operation else '') ~ (' relation' if count == 1 else ' relations') ~ ('' if operation else ' that this command reads') ~ (' is' if count == 1 else ' are') ~ ' missing:\n'
      ~ (shown[:20] + (['     and ' ~ (shown | length - 20) ~ ' more'] if shown | length > 20 else [])) | join('\n') ~ '\nBuild ' ~ ('it' if count == 1 else 'them') ~ ' first, then run this command again:\n  ' %}
  {% endif %}
  {% set text = text ~ dbt_selfheal._build_command(plan, plan.steps) %}
  {% if not warns %}{% do dbt_selfheal._raise(text) %}{% endif %}
  {% do exceptions.warn('dbt_selfheal: ' ~ text) %}
  {% do dbt_selfheal._emit('initialization_warned', {'missing_tables_found': plan.steps | map(attribute='unique_id') | list}) %}
{% endmacro %}


{# The plan for the running invocation: what the command reads (parents of the selected nodes that are not selected themselves, and what hooks
   read that run after this one), what is declared (an operation with nothing declared requires every enabled node), and the nodes that initial data goes into.
   names: see _survey. #}
{% macro _current_plan(settings, select=none, names={}) %}
  {% set manifest, selected, reads = dbt_selfheal._manifest(), dbt_selfheal._selected(), {'reasons': {}, 'front': [], 'early': {}} %}
  {% set run, front = {}, [] %}  {# selected ephemeral models are not, unless something that is run reads them #}
  {% for unique_id in selected if (manifest.nodes.get(unique_id) or {'config': {}}).config.materialized != 'ephemeral' %}{% do run.update({unique_id: 1}) %}{% endfor %}
  {% do front.extend(run) %}
  {% for round in range(999) if front %}
    {% set readers = front | select('in', manifest.nodes) | list %}
    {% do front.clear() %}
    {% for unique_id in readers %}
      {% for parent in manifest.nodes[unique_id].depends_on.nodes or [] if parent in selected and parent not in run %}{% do run.update({parent: 1}) %}{% do front.append(parent) %}{% endfor %}
    {% endfor %}
  {% endfor %}
  {% for unique_id in run %}
    {% set node = manifest.nodes.get(unique_id) %}
    {% if node is none and unique_id.startswith('unit_test.') %}  {# its inputs are the parents of the model that it tests #}
      {% set test = manifest.unit_tests[unique_id] if manifest.unit_tests else {'depends_on': {'nodes': ['model.' ~ unique_id.split('.')[1:-1] | join('.')]}, 'given': []} %}
      {% set node = manifest.nodes.get(test.depends_on.nodes | first) %}
      {% if 'this' in test.given | map(attribute='input') %}
        {% do reads.reasons.setdefault(node.unique_id, 'read by ' ~ test.name) %}
        {% do reads.front.append((node.unique_id, 'read by ' ~ test.name, unique_id, false)) %}
        {% do reads.early.update({node.unique_id: 1}) %}
      {% endif %}
    {% elif node is none and unique_id.startswith('function.') %}
      {% set node = manifest.functions.get(unique_id) %}
    {% endif %}
    {% for parent in (node.depends_on.nodes if node is not none else []) or [] if parent not in selected %}
      {% do reads.reasons.setdefault(parent, 'read by ' ~ node.name) %}
      {% do reads.front.append((parent, 'read by ' ~ node.name, unique_id, true)) %}
    {% endfor %}
  {% endfor %}
  {% for parent, hook in (dbt_selfheal._hooks(selected).read if flags.WHICH != 'run-operation' and (manifest.nodes | join).count('-on-run-') > 1 else {}).items() if hook[1] or parent not in selected %}
    {% set reason = 'read by a hook ' ~ ('on-run-start' if hook[1] else 'on-run-end') ~ ' of ' ~ manifest.nodes[hook[0]].package_name %}
    {% do reads.reasons.setdefault(parent, reason) %}
    {% do reads.front.append((parent, reason, hook[0], false)) %}
    {% if hook[1] %}{% do reads.early.update({parent: 1}) %}{% endif %}
  {% endfor %}
  {% set declared = dbt_selfheal._declared([select] if select is string else select, 'the argument `select`') if select else dbt_selfheal._declared(settings.required) if settings.required else {} %}
  {% if flags.WHICH == 'run-operation' and not declared %}
    {% for unique_id, node in manifest.nodes.items() if node.resource_type in ('model', 'seed', 'snapshot') and 'selfheal_history' not in node.tags %}
      {% do declared.update({unique_id: 'every enabled node is required, as none is declared'}) %}
    {% endfor %}
  {% endif %}
  {% if settings.initial_data and not select and dbt_selfheal_database is defined %}{% set declared = dict(dbt_selfheal_database._initial_data_required(settings.initial_data), **declared) %}{% endif %}
  {% do return(dbt_selfheal._plan(reads, declared, selected, settings.on_missing == 'clone' and dbt_version < '2', names)) %}
{% endmacro %}
