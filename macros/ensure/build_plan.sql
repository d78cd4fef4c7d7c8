{#
  Acting on a plan: under the lock, in a session like a node's own, with the lines and events of each step.
#}

{# Build a plan's steps and verify them. Everything that can be known to be wrong is found before anything is built. #}
{% macro _build_plan(plan, settings) %}
  {% set started_at, enter_session, built, left = dbt_selfheal._now(), dbt_selfheal._traits().enter_session, [], [] %}
  {% if settings.history %}{% do context.update({'dbt_selfheal_events': []}) %}{% endif %}
  {% do dbt_selfheal._announce_start(plan, settings, started_at) %}
  {% set undo = enter_session() if enter_session else [] %}
  {% if undo is none %}
    {% do dbt_selfheal._raise('an on-run-start hook before has left a transaction open, in which nothing else may be committed.\nEnd that hook with `commit`, or make '
      ~ 'dbt_selfheal.ensure_initialized() the first one in the on-run-start of dbt_project.yml. Nothing was built.') %}
  {% endif %}
  {% if dbt_selfheal._traits().try_lock %}
    {% set lock = dbt_selfheal._acquire_lock(settings, plan.steps | map(attribute='node') | map(attribute='schema')) %}
  {% else %}  {# the step is announced all the same #}
    {% set lock = {'held': []} %}
    {% do dbt_selfheal._step(dbt_selfheal._step('acquire_lock')) %}
  {% endif %}
  {% if lock.held %}{% do dbt_selfheal._look_again(plan) %}{% endif %}
  {% if plan.steps %}
    {% set step = dbt_selfheal._step('check_tables') %}
    {% do plan.update({'missing_sources': dbt_selfheal._missing_sources(plan) if "'source." in (plan.steps | map(attribute='node.depends_on_nodes') | list + plan.required | list) | string else []}) %}
    {% do dbt_selfheal._emit_plan(plan) %}
    {% set refused = plan.steps | selectattr('refusal') | map(attribute='unique_id') | list %}  {# another run may have built one meanwhile #}
    {% for entry in plan.steps if refused and entry.held_up_by | select('in', refused) | first is defined %}{% do left.append(entry) %}{% endfor %}
    {% set held_up = dict.fromkeys(left | map(attribute='unique_id')) %}
    {% do plan.update({'steps': plan.steps | rejectattr('unique_id', 'in', held_up) | list}) %}
    {% for source in plan.missing_sources if source.read_by not in held_up %}
      {% if source.stops %}{% do dbt_selfheal._raise(source.message) %}{% else %}{% do exceptions.warn('dbt_selfheal: ' ~ source.message) %}{% endif %}
    {% endfor %}
    {% set seeds = plan.steps | rejectattr('clone') | selectattr('node.resource_type', 'equalto', 'seed') | list %}
    {% set reader = dbt_selfheal._seed_reader() if seeds %}
    {% for entry in seeds %}{% do entry.update({'seed': dbt_selfheal._check_seed(entry.node, reader)}) %}{% endfor %}
    {% do dbt_selfheal._step(step) %}
    {% set stateful = plan.steps | rejectattr('clone') | map(attribute='node') | selectattr('config.materialized', 'in', ['incremental', 'snapshot']) | map(attribute='name') | list %}
    {% if stateful %}{% do dbt_selfheal._line('Self-healing: ' ~ stateful[:6] | join(', ') ~ (', ...' if stateful | length > 6 else '') ~ ': the history starts now') %}{% endif %}
    {% if settings.initial_data and plan.steps %}{% do dbt_selfheal_database._mark_rows_due() %}{% endif %}
    {% do dbt_selfheal._build_steps(plan.steps, settings, started_at + modules.datetime.timedelta(seconds=settings.timeout_seconds) if settings.timeout_seconds) %}
    {% set readable = plan.steps | selectattr('readable') | map(attribute='unique_id') | list %}
    {% do plan.update({'steps': plan.steps | rejectattr('made_by_another') | rejectattr('readable') | list, 'missing': plan.missing | reject('in', readable) | list}) %}
    {% set step = dbt_selfheal._step('verify') %}  {# a node that ran without an error may leave no relation: an error only where it is declared #}
    {% set absent = dbt_selfheal._absent(plan.steps) %}
    {% set lost = absent | selectattr('unique_id', 'in', plan.declared) | map(attribute='node') | map(attribute='name') | join(', ') %}
    {% if lost %}
      {% do dbt_selfheal._raise('declared required and built without an error, and yet not in the database: ' ~ lost
        ~ '\nLook for a hook, or another process, that drops them, or take them off vars.dbt_selfheal.required.') %}
    {% endif %}
    {% for entry in absent %}{% do dbt_selfheal._line('Self-healing: ' ~ entry.node.name ~ ' was run and left no relation; that counts as done') %}{% endfor %}
    {% do dbt_selfheal._step(step) %}
    {% do built.extend(plan.steps | reject('in', absent)) %}
  {% endif %}
  {% set others, times = plan.missing | length - plan.steps | length - left | length, dbt_selfheal._times(started_at) %}
  {% do dbt_selfheal._emit('initialization_complete', dict({
    'state': 'failed' if left else 'completed', 'missing_tables_found': plan.missing, 'tables_created': built | map(attribute='unique_id') | list}, **times)) %}
  {% if built or not left %}{% do dbt_selfheal._line('Self-healing: ' ~ ('stopped after ' if left else 'ready in ') ~ '%.1f' | format(times.duration_seconds) ~ ' s; ' ~ built | length ~ ' built, '
    ~ (others ~ ' built by another run meanwhile, ' if others else '') ~ plan.present ~ ' there before and untouched') %}{% endif %}
  {% if settings.history %}{% do dbt_selfheal._record_attempt(events=context.pop('dbt_selfheal_events')) %}{% endif %}
  {% if lock.held %}{% do dbt_selfheal._release_lock(lock) %}{% endif %}
  {% do dbt_selfheal._discard_open_transaction() %}
  {% for statement in undo %}{% do dbt_selfheal._fetch(statement) %}{% endfor %}
  {% if left %}{% do dbt_selfheal._raise_refusals(plan, left, built | length) %}{% endif %}
{% endmacro %}


{# Take out of the steps what another run has built before the lock was held. It may have built nodes of this very command too: dbt's cache is told
   of both. #}
{% macro _look_again(plan) %}
  {% set absent, selected, nodes = dbt_selfheal._absent(plan.steps), [], dbt_selfheal._manifest().nodes %}
  {% for id in (dbt_selfheal._selected() if absent | length < plan.steps | length else []) if id in nodes and nodes[id].is_relational and not nodes[id].is_ephemeral_model %}
    {% do selected.append({'node': nodes[id]}) %}
  {% endfor %}
  {% do dbt_selfheal._absent(selected) %}
  {% for entry in plan.steps + selected if entry.found_type and not entry.is_function %}
    {% do adapter.cache_added(api.Relation.create_from(adapter.config, entry.node, type=entry.found_type)) %}
  {% endfor %}
  {% do plan.update({'steps': absent}) %}
{% endmacro %}


{# The first line and event of healing, before anything else takes time. #}
{% macro _announce_start(plan, settings, started_at) %}
  {% set missing, major, minor = plan.steps | length, dbt_version.split('.')[0] | int, dbt_version.split('.')[1] | int %}
  {% do plan.update({'missing': plan.steps | map(attribute='unique_id') | list,
                     'present': dbt_selfheal._required_relations(plan) | selectattr('exists') | list | length}) %}
  {% do dbt_selfheal._line('Self-healing: ' ~ missing ~ ' of ' ~ (missing + plan.present) ~ ' required relations '
    ~ ('is' if missing == 1 else 'are') ~ ' missing' ~ (' (limit ' ~ settings.timeout_seconds ~ ' s)' if settings.timeout_seconds else '')) %}
  {% for flag in ('empty', 'sample') if invocation_args_dict.get(flag) %}
    {% do dbt_selfheal._line('Self-healing: --' ~ flag ~ ' does not apply here: what is missing is built whole') %}
  {% endfor %}
  {% if dbt_selfheal._traits().tested != adapter.type() %}
    {% do dbt_selfheal._line('Self-healing: no file for ' ~ adapter.type() ~ " (docs/adapters.md): dbt's relation cache says what is there, and nothing is locked") %}
  {% endif %}
  {% if (major, minor) > (1, 13) %}
    {% do exceptions.warn('dbt_selfheal is not tested on dbt ' ~ dbt_version ~ ' (it is on 1.8 to 1.13).') %}
  {% endif %}
  {% do dbt_selfheal._emit('initialization_started', {
    'started_at': dbt_selfheal._iso(started_at), 'timeout_seconds': settings.timeout_seconds, 'missing_tables_found': plan.missing}) %}
{% endmacro %}
