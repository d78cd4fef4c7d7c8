{#
  Building what is missing, with dbt's and the adapter's own materializations, in the order of the plan.
#}

{# Build all steps of a plan. deadline: when to stop (datetime), checked between nodes. levels: how many more times it
   calls itself before it begins, so that what is called for each node finds a fresh piece of Python's stack
   (docs/decisions/0008). #}
{% macro _build_steps(steps, settings, deadline, levels=3) %}
  {% if levels %}{% do return(dbt_selfheal._build_steps(steps, settings, deadline, levels - 1)) %}{% endif %}
  {% set base = dbt_selfheal._base_context() %}
  {% do base.update({'connection': adapter.add_query('select 1', auto_begin=false)[0]}) %}
  {% set compiled, schemas = {}, {} %}
  {% set tiers = [('load_seeds', steps | selectattr('node.resource_type', 'equalto', 'seed') | list),
                  ('build_foundation', steps | rejectattr('node.resource_type', 'equalto', 'seed') | list)] %}
  {% set position = namespace(index=0) %}
  {% for step_name, entries in tiers if entries %}
    {% set step = dbt_selfheal._step_started(step_name) %}
    {% for entry in entries %}
      {% set position.index = position.index + 1 %}
      {% do dbt_selfheal._check_deadline(deadline, settings, position.index - 1, steps) %}
      {% do dbt_selfheal._create_schema_if_missing(entry.node, schemas) %}
      {% do dbt_selfheal._build_node(entry, base, compiled, position.index ~ ' of ' ~ steps | length) %}
    {% endfor %}
    {% do dbt_selfheal._step_complete(step) %}
  {% endfor %}
{% endmacro %}


{# Build one node and announce it. #}
{% macro _build_node(entry, base, compiled, progress) %}
  {% set node, started_at = entry.node, dbt_selfheal._now() %}
  {% set what = dbt_selfheal._kind(node) ~ ' ' ~ dbt_selfheal._display_name(node) %}
  {% set start, path = progress ~ ' START ' ~ what, node.original_file_path %}
  {% do dbt_selfheal._line(start ~ ' (' ~ (path if (start ~ path) | length < 77 else path.split('/') | last) ~ ')', 'RUN') %}
  {% do dbt_selfheal._emit('initialization_node_started', {
    'unique_id': node.unique_id, 'progress': progress, 'path': path, 'started_at': dbt_selfheal._iso(started_at)}) %}
  {% do dbt_selfheal._begin_node() %}
  {% set code = dbt_selfheal._compile(node, base, compiled) if node.resource_type != 'seed' %}
  {% do dbt_selfheal._enter_context(node, base, code) %}
  {% do context.update({'dbt_selfheal_seed': entry.seed}) %}
  {% set result = dbt_selfheal._materialization(node)() %}
  {% set response = load_result('main').response %}
  {% if entry.seed and entry.seed.rows %}{% set response = response.code ~ ' ' ~ entry.seed.rows %}{% endif %}
  {% do dbt_selfheal._restore_context(base) %}
  {% do dbt_selfheal._discard_open_transaction(base.connection) %}
  {% for relation in result.relations if not entry.is_function %}
    {% do adapter.cache_added(relation.incorporate(dbt_created=true)) %}
  {% endfor %}
  {% set seconds = (dbt_selfheal._now() - started_at).total_seconds() %}
  {% do dbt_selfheal._line(progress ~ ' OK built ' ~ what, response ~ ' in ' ~ '%.2f' | format(seconds) ~ 's') %}
  {% do dbt_selfheal._emit('initialization_node_complete', {
    'unique_id': node.unique_id, 'resource_type': node.resource_type | string, 'relation': entry.node.relation_name,
    'started_at': dbt_selfheal._iso(started_at), 'completed_at': dbt_selfheal._iso(dbt_selfheal._now()),
    'duration_seconds': seconds | round(3), 'success': true}) %}
{% endmacro %}


{# The macro of a node's materialization as it is seen from the context, the project's and its packages' overrides
   included; none if there is none. #}
{% macro _materialization(node) %}
  {% set found = dbt_selfheal._manifest().find_materialization_macro_by_name(
    adapter.config.project_name, node.config.materialized, adapter.type()) %}
  {% if not found %}{% do return(none) %}{% endif %}
  {% do return((context.get(found.package_name) or {}).get(found.name) or context['dbt'].get(found.name)) %}
{% endmacro %}


{# Create a node's schema if the database lacks it (and only then: not every adapter can say "if not exists").
   schemas: dict that remembers the schemas seen. #}
{% macro _create_schema_if_missing(node, schemas) %}
  {% set key = node.database ~ '.' ~ node.schema %}
  {% if key not in schemas %}
    {% do schemas.update({key: true}) %}
    {% if not adapter.check_schema_exists(node.database, node.schema) %}
      {% do adapter.create_schema(api.Relation.create_from(adapter.config, node)) %}
    {% endif %}
  {% endif %}
{% endmacro %}


{# Stop when the time is up. Between nodes only: dbt gives a hook no way to end a statement. #}
{% macro _check_deadline(deadline, settings, built, steps) %}
  {% if dbt_selfheal._now() > deadline %}
    {% do dbt_selfheal._raise('the time limit of ' ~ settings.timeout_seconds ~ ' s is over; ' ~ built ~ ' of ' ~ steps | length
      ~ ' missing relations are built and stay.\nRun the same command again to build the rest, or raise '
      ~ 'vars.dbt_selfheal.timeout_seconds in dbt_project.yml.') %}
  {% endif %}
{% endmacro %}


{# "seed", "snapshot", "table model", "incremental model", ... #}
{% macro _kind(node) %}
  {% do return(node.config.materialized ~ ' model' if node.resource_type == 'model' else node.resource_type | string) %}
{% endmacro %}


{# schema.name of a node's relation, as dbt prints it. #}
{% macro _display_name(node) %}
  {% do return(node.schema ~ '.' ~ node.alias) %}
{% endmacro %}


{# A node is built in one transaction. dbt relies on the first statement of the node's own connection to begin it where the
   driver does so; the connection of a hook has committed before, and such a driver then begins no other by itself. #}
{% macro _begin_node() %}
  {% do adapter.dispatch('_begin_node', 'dbt_selfheal')() %}
{% endmacro %}

{# Begun by dbt, with a statement of its own. #}
{% macro default___begin_node() %}{% endmacro %}

{# With `autocommit: true` in the profile there are no transactions in dbt either. #}
{% macro postgres___begin_node() %}
  {% if not adapter.config.credentials.autocommit %}{% do adapter.add_query('begin', auto_begin=false) %}{% endif %}
{% endmacro %}


{# dbt releases a node's connection when the node is done, and what its materialization or hooks did not commit is
   lost. The connection of a hook lives on, so the same is done here. connection: as a statement hands it over, if there
   was one: it tells whether dbt knows of an open transaction. (The empty transaction that is committed after the rollback
   tells dbt that none is.) #}
{% macro _discard_open_transaction(connection=none) %}
  {% do adapter.dispatch('_discard_open_transaction', 'dbt_selfheal')(connection) %}
{% endmacro %}

{% macro default___discard_open_transaction(connection) %}
  {% set connection = connection or adapter.add_query('select 1', auto_begin=false)[0] %}
  {% if connection.transaction_open %}
    {% do adapter.add_query('rollback', auto_begin=false) %}
    {% do adapter.add_query('begin', auto_begin=false) %}
    {% do adapter.commit() %}
  {% endif %}
{% endmacro %}

{# The transaction may be one that dbt does not know of; where none is open, this does nothing. #}
{% macro postgres___discard_open_transaction(connection) %}
  {% if not adapter.config.credentials.autocommit and adapter.add_query('rollback', auto_begin=false)[0].transaction_open %}
    {% do adapter.add_query('begin', auto_begin=false) %}
    {% do adapter.commit() %}
  {% endif %}
{% endmacro %}

{# Spark has no transactions. #}
{% macro spark___discard_open_transaction(connection) %}{% endmacro %}
