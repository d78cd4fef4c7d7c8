{#
  ensure_initialized: the package's on-run-start hook, and an operation.
#}

{# Make sure that every relation that the running command reads, or that the project declares required, exists:
   find what is missing, build it in dependency order, verify it in the database (FR-001 to FR-006, FR-009).
   Pending migrations are applied before, initial data is loaded after.
   With nothing missing it does next to nothing, and in a hook prints nothing. (Most of what it costs then is that dbt
   compiles the source of each macro that is called: what is on this path is kept short.)

   select: list of node names, tag:x, path:x to require instead of the declared ones (operation only). #}
{% macro ensure_initialized(select=none) %}
  {% if execute and flags.WHICH in ('build', 'run', 'seed', 'snapshot', 'test', 'retry', 'run-operation') %}
    {% set settings = dbt_selfheal._settings() %}
    {% if settings.enabled and (not settings.targets or target.name in settings.targets) %}
      {% set more = modules.re.search('(?i)[.]migrations?_v?[_0-9]', builtins.ref.manifest.macros | join) and dbt_selfheal_database._run_pending(settings) %}
      {% if more or flags.WHICH == 'run-operation' or (settings.initial_data and dbt_selfheal_database._expects_rows(settings))
          or not dbt_selfheal._is_satisfied(settings.required) %}
        {% do dbt_selfheal._ensure(settings, select, more) %}
      {% endif %}
    {% elif flags.WHICH == 'run-operation' %}
      {% do dbt_selfheal._line('Self-healing: off, by setting or in this target; nothing was done') %}
    {% endif %}
  {% endif %}
{% endmacro %}


{# The long way: plan, and act on what is missing; then initial data (docs/decisions/0007 says when).
   migrated: whether migrations have been applied just now. #}
{% macro _ensure(settings, select, migrated) %}
  {% if flags.WHICH in ('build', 'seed', 'retry') %}{% do dbt_selfheal_database._protect_seeds() %}{% endif %}
  {% set plan = dbt_selfheal._current_plan(settings, select) %}
  {% if plan.steps %}
    {% do dbt_selfheal._heal(plan, settings) %}
  {% elif flags.WHICH == 'run-operation' %}
    {% do dbt_selfheal._line('Self-healing: all ' ~ plan.required | length ~ ' required relations exist; nothing to do') %}
  {% endif %}
  {% if plan.missing or migrated or flags.WHICH in ('build', 'seed', 'run-operation') %}
    {% do dbt_selfheal_database._load_initial_data(settings) %}
  {% endif %}
{% endmacro %}


{# The plan for the running invocation: what the command reads, what is declared (an operation with nothing declared
   requires every enabled node), and the nodes that initial data goes into. #}
{% macro _current_plan(settings, select=none) %}
  {% set selected = dbt_selfheal._selected() %}
  {% set declared = dbt_selfheal._declared([select] if select is string else select, 'the argument `select`') if select else dbt_selfheal._declared(settings.required) %}
  {% if flags.WHICH == 'run-operation' and not declared %}{% set declared = dbt_selfheal._everything() %}{% endif %}
  {% if settings.initial_data and not select %}{% set declared = dict(dbt_selfheal_database._initial_data_required(settings.initial_data), **declared) %}{% endif %}
  {% do return(dbt_selfheal._plan(dbt_selfheal._read_by_command(selected), declared, selected)) %}
{% endmacro %}


{# Act on a plan with something missing, as `on_missing` says. #}
{% macro _heal(plan, settings) %}
  {% if settings.on_missing == 'build' %}
    {% do dbt_selfheal._build_plan(plan, settings) %}
  {% else %}
    {% set text = dbt_selfheal._missing_text(plan) ~ '\nBuild them with:\n  ' ~ dbt_selfheal._build_command(plan) %}
    {% if settings.on_missing == 'fail' %}{% do dbt_selfheal._raise(text) %}{% endif %}
    {% do exceptions.warn('dbt_selfheal: ' ~ text) %}
  {% endif %}
{% endmacro %}


{# "5 of 8 required relations are missing: a, b, c, ..." #}
{% macro _missing_text(plan) %}
  {% set names = plan.steps | map(attribute='node') | map(attribute='name') | list %}
  {% do return(names | length ~ ' relations are missing: ' ~ names[:12] | join(', ') ~ (', ...' if names | length > 12 else '')) %}
{% endmacro %}


{# Build a plan's steps and verify them, under the lock, with the readable lines and events of DESIGN 8. #}
{% macro _build_plan(plan, settings) %}
  {% set started_at = dbt_selfheal._now() %}
  {% do dbt_selfheal._start_recording(settings) %}
  {% do dbt_selfheal._announce_start(plan, settings, started_at) %}
  {% set lock = dbt_selfheal._acquire_lock(settings, plan.steps | map(attribute='node') | map(attribute='schema')) %}
  {% if lock.kind != 'none' %}
    {% do plan.update({'steps': dbt_selfheal._still_missing(plan.steps)}) %}
  {% endif %}
  {% set built = [] %}
  {% if plan.steps %}
    {% do dbt_selfheal._check_plan(plan) %}
    {% do dbt_selfheal._build_steps(plan.steps, settings, started_at + modules.datetime.timedelta(seconds=settings.timeout_seconds)) %}
    {% do built.extend(plan.steps | reject('in', dbt_selfheal._verify_built(plan.steps, plan.declared))) %}
  {% endif %}
  {% do dbt_selfheal._announce_end(plan, built, started_at) %}
  {% do dbt_selfheal._record_events(settings) %}
  {% do dbt_selfheal._release_lock(lock) %}
{% endmacro %}


{# The first line and event of healing, before anything else takes time (SC-002). #}
{% macro _announce_start(plan, settings, started_at) %}
  {% set missing = plan.steps | length %}
  {% do plan.update({'missing': plan.steps | map(attribute='unique_id') | list,
                     'present': dbt_selfheal._required_relations(plan) | selectattr('exists') | list | length}) %}
  {% do dbt_selfheal._line('Self-healing: ' ~ missing ~ ' of ' ~ (missing + plan.present) ~ ' required relations '
    ~ ('is' if missing == 1 else 'are') ~ ' missing; building now (limit ' ~ settings.timeout_seconds ~ ' s)') %}
  {% for flag in ('empty', 'sample') if invocation_args_dict.get(flag) %}
    {% do dbt_selfheal._line('Self-healing: --' ~ flag ~ ' does not apply here: what is missing is built whole') %}
  {% endfor %}
  {% do dbt_selfheal._warn_untested() %}
  {% do dbt_selfheal._emit('initialization_started', {
    'started_at': dbt_selfheal._iso(started_at), 'timeout_seconds': settings.timeout_seconds, 'missing_tables_found': plan.missing}) %}
{% endmacro %}


{# The last line and event. built: list of the entries built. #}
{% macro _announce_end(plan, built, started_at) %}
  {% set now = dbt_selfheal._now() %}
  {% set others = plan.missing | length - plan.steps | length %}
  {% do dbt_selfheal._emit('initialization_complete', {
    'state': 'completed', 'missing_tables_found': plan.missing, 'tables_created': built | map(attribute='unique_id') | list,
    'started_at': dbt_selfheal._iso(started_at), 'completed_at': dbt_selfheal._iso(now),
    'duration_seconds': (now - started_at).total_seconds() | round(3)}) %}
  {% do dbt_selfheal._line('Self-healing: ready in ' ~ '%.1f' | format((now - started_at).total_seconds()) ~ ' s; ' ~ built | length ~ ' built, '
    ~ (others ~ ' built by another run meanwhile, ' if others else '') ~ plan.present ~ ' there before and untouched') %}
{% endmacro %}


{# Those of the steps that the database still lacks, now that the lock is held; dbt's cache is told of the others, which
   another run has built meanwhile, and of what that run has built besides of the nodes that this command selects. #}
{% macro _still_missing(steps) %}
  {% set absent, selected = dbt_selfheal._absent(steps), [] %}
  {% if absent | length < steps | length %}
    {% for id in dbt_selfheal._selected() if id in builtins.ref.manifest.nodes %}
      {% set node = builtins.ref.manifest.nodes[id] %}
      {% if node.is_relational and not node.is_ephemeral_model %}{% do selected.append({'node': node}) %}{% endif %}
    {% endfor %}
  {% endif %}
  {% set others = dbt_selfheal._absent(selected) %}
  {% for entry in steps + selected if entry not in absent and entry not in others and not entry.is_function %}
    {% do adapter.cache_added(api.Relation.create_from(adapter.config, entry.node, type=entry.found_type)) %}
  {% endfor %}
  {% do return(absent) %}
{% endmacro %}


{# The step check_tables: everything that can be known to be wrong is found before anything is built. #}
{% macro _check_plan(plan) %}
  {% set step = dbt_selfheal._step_started('check_tables') %}
  {% do dbt_selfheal._emit_plan(plan) %}
  {% do dbt_selfheal._raise_refusals(plan) %}
  {% do dbt_selfheal._raise_missing_sources(plan) %}
  {% set seeds = plan.steps | selectattr('node.resource_type', 'equalto', 'seed') | list %}
  {% set reader = dbt_selfheal._seed_reader() if seeds %}
  {% for entry in seeds %}
    {% do entry.update({'seed': dbt_selfheal._check_seed(entry.node, reader)}) %}
  {% endfor %}
  {% do dbt_selfheal._step_complete(step) %}
{% endmacro %}


{# Say so when the adapter or the version of dbt is one that is not tested. #}
{% macro _warn_untested() %}
  {% set major, minor = dbt_version.split('.')[0] | int, dbt_version.split('.')[1] | int %}
  {% if adapter.type() not in ('duckdb', 'postgres', 'sqlite', 'spark') %}
    {% do exceptions.warn('dbt_selfheal is not tested on ' ~ adapter.type() ~ ' (it is on duckdb, postgres, sqlite and spark), and does not lock there: '
      ~ 'compare what it builds with a `dbt build`. on_missing: fail makes it print the command instead of building.') %}
  {% endif %}
  {% if (major, minor) > (1, 11) %}
    {% do exceptions.warn('dbt_selfheal is not tested on dbt ' ~ dbt_version ~ ' (it is on 1.8 to 1.11).') %}
  {% endif %}
{% endmacro %}
