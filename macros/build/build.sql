{#
  Building what is missing, with dbt's and the adapter's own materializations, in the order of the plan.
#}

{# Build all steps of a plan. deadline: when to stop (datetime), checked between nodes (dbt gives a hook no way to end a
   statement); none: never. levels: how many more times it calls itself before it begins, so that what is called for each node finds a fresh
   piece of Python's stack (docs/decisions/0008). #}
{% macro _build_steps(steps, settings, deadline, levels=1) %}
  {% if levels %}{% do return(dbt_selfheal._build_steps(steps, settings, deadline, levels - 1)) %}{% endif %}
  {% set base = dbt_selfheal._base_context() %}
  {% set schemas, traits = {}, base.traits %}
  {% if traits.transactions != 'none' %}{% do base.update({'connection': adapter.add_query('select 1', auto_begin=false)[0]}) %}{% endif %}
  {% set tiers = [('load_seeds', steps | selectattr('node.resource_type', 'equalto', 'seed') | list),
                  ('build_foundation', steps | rejectattr('node.resource_type', 'equalto', 'seed') | list)] %}
  {% set position = namespace(index=0) %}
  {% for step_name, entries in tiers if entries %}
    {% set step = dbt_selfheal._step(step_name) %}
    {% for entry in entries %}
      {% set position.index, place = position.index + 1, entry.node.database ~ '.' ~ entry.node.schema %}
      {% if deadline and dbt_selfheal._now() > deadline %}
        {% do dbt_selfheal._raise('the time limit of ' ~ settings.timeout_seconds ~ ' s is over; ' ~ (position.index - 1) ~ ' of ' ~ steps | length
          ~ ' missing relations are built and stay.\nRun the same command again to build the rest, or raise '
          ~ 'vars.dbt_selfheal.timeout_seconds in dbt_project.yml.') %}
      {% endif %}
      {% if place not in schemas %}  {# not every adapter can say "if not exists" #}
        {% do schemas.update({place: true}) %}
        {% if not adapter.check_schema_exists(entry.node.database, entry.node.schema) %}
          {% do adapter.create_schema(api.Relation.create_from(adapter.config, entry.node)) %}
        {% endif %}
      {% endif %}
      {% if entry.orphan and traits.can_read(entry.node) %}
        {% do entry.update({'readable': true}) %}  {# what was missing was above it #}
      {% elif not entry.is_function and (traits.looks_again
            or traits.builder and dbt_selfheal._fetch(traits.builder.replace('{key}', dbt_selfheal._literal(entry.unique_id)), entry.node, entry.node.alias))
          and dbt_selfheal._made_by_another(entry, settings) %}  {# which waits, and is asked only if there is something to look or to wait for #}
        {% do entry.update({'made_by_another': true}) %}
        {% do adapter.cache_added(api.Relation.create_from(adapter.config, entry.node, type=entry.found_type)) %}
      {% else %}
        {% do dbt_selfheal._build_node(entry, base, position.index ~ ' of ' ~ steps | length) %}
      {% endif %}
    {% endfor %}
    {% do dbt_selfheal._step(step) %}
  {% endfor %}
{% endmacro %}


{# Build one node and announce it. Its transaction is begun here where only a fresh connection's driver would begin it (see
   _traits). Where the node's data is there, outside of the database, only the view over it is made. #}
{% macro _build_node(entry, base, progress) %}
  {% set node, started_at, traits = entry.node, dbt_selfheal._now(), base.traits %}
  {% set relation, response, code, result, relations, pointer, sql, alias, config, view = none, none, none, none, [], none, none, none, none, none %}  {# see _visit #}
  {% set what = (node.config.materialized ~ ' ' if node.resource_type == 'model' else '') ~ node.resource_type ~ ' ' ~ node.schema ~ '.' ~ node.alias %}
  {% set start, path = progress ~ ' ' ~ ('CLONE' if entry.clone else 'START') ~ ' ' ~ what, entry.clone.relation_name if entry.clone else node.original_file_path %}
  {% do dbt_selfheal._line(start ~ ' (' ~ ('from ' ~ path if entry.clone else path if (start ~ path) | length < 77 else path.split('/') | last) ~ ')', 'RUN') %}
  {% do dbt_selfheal._emit('initialization_node_started', {
    'unique_id': node.unique_id, 'progress': progress, 'path': path, 'started_at': dbt_selfheal._iso(started_at)}) %}
  {% if not entry.is_function %}  {# dbt's cache may know less, or more, than the database #}
    {% set relation = api.Relation.create_from(adapter.config, node, type=entry.type) %}
    {% if entry.type %}{% do adapter.cache_added(relation) %}{% else %}{% do adapter.cache_dropped(relation) %}{% endif %}
  {% endif %}
  {% if entry.outside.exists %}
    {% do dbt_selfheal._fetch(entry.outside.view) %}
    {% set response = 'CREATE VIEW' %}
    {% do adapter.cache_added(api.Relation.create_from(adapter.config, node, type='view')) %}
  {% else %}
    {% if traits.begin %}{% do adapter.add_query(traits.begin, auto_begin=false) %}{% endif %}
    {% set code = {'code': 'select * from ' ~ entry.clone.relation_name, 'ctes': []} if entry.clone else dbt_selfheal._compile(node, base) if node.resource_type != 'seed' %}
    {% do dbt_selfheal._enter_context(node, base, code) %}
    {% if code and not entry.clone and node.resource_type != 'snapshot' %}{% do dbt_selfheal._write(code.code, 'compiled') %}{% endif %}
    {% do context.update({'dbt_selfheal_seed': entry.seed, 'defer_relation': api.Relation.create_from(adapter.config, entry.clone) if entry.clone}) %}
    {% set result = dbt_selfheal._materialization(namespace(config=namespace(materialized='clone')) if entry.clone else node)() %}
    {% set response, relations = load_result('main').response, result.relations | list %}
    {% for overload in node.overloads or [] if entry.is_function %}  {# dbt 1.12: the same name for other arguments #}
      {% set other = node.from_dict(dict(node.to_dict(), arguments=overload.to_dict().arguments, returns=(overload.returns or node.returns).to_dict(), raw_code=overload.raw_body)) %}
      {% do dbt_selfheal._enter_context(other, base, dbt_selfheal._compile(other, base)) %}
      {% do dbt_selfheal._materialization(node)() %}
    {% endfor %}
    {% set pointer = node.config.latest_version_pointer if not entry.clone and node.is_latest_version and node.version is not none %}
    {% if pointer and relations and (pointer.enabled if pointer.enabled is not none else flags.LATEST_VERSION_POINTER_ENABLED_BY_DEFAULT) %}  {# dbt 1.12: a view by the model's bare name #}
      {% set sql, alias = 'select * from ' ~ relations[0], generate_latest_version_pointer_alias(pointer.alias | trim if pointer.alias else none, context['model']) | trim %}
      {% set config = dict(node.config.to_dict(), **{'pre-hook': [], 'post-hook': [], 'persist_docs': {}}) %}
      {% set view = node.from_dict(dict(node.to_dict(), alias=alias, raw_code=sql, unique_id=node.unique_id ~ '__latest_version_pointer', config=config)) %}
      {% do dbt_selfheal._enter_context(view, base, {'code': sql, 'ctes': []}) %}
      {% do relations.extend(dbt_selfheal._materialization(namespace(config=namespace(materialized='view')))().relations) %}
    {% endif %}
    {% if entry.seed and entry.seed.rows %}{% set response = response.code ~ ' ' ~ entry.seed.rows %}{% endif %}
    {% do dbt_selfheal._restore_context(base) %}
    {% do dbt_selfheal._discard_open_transaction(base.connection, traits) %}
    {% if traits.enter_session and (node.config.pre_hook or node.config.post_hook or node.config.sql_header) %}{% do traits.enter_session() %}{% endif %}
    {% for relation in relations if not entry.is_function %}
      {% do adapter.cache_added(relation.incorporate(dbt_created=true)) %}
    {% endfor %}
  {% endif %}
  {% set times = dbt_selfheal._times(started_at) %}
  {% do dbt_selfheal._line(progress ~ ' OK ' ~ ('cloned' if entry.clone else 'built') ~ ' ' ~ what, response ~ ' in ' ~ '%.2f' | format(times.duration_seconds) ~ 's') %}
  {% do dbt_selfheal._emit('initialization_node_complete', dict({
    'unique_id': node.unique_id, 'resource_type': node.resource_type | string, 'relation': node.relation_name, 'cloned_from': entry.clone.relation_name if entry.clone else none, 'success': true}, **times)) %}
{% endmacro %}


{# The macro of a node's materialization as it is seen from the context, the project's and its packages' overrides
   included; none if there is none. #}
{% macro _materialization(node) %}
  {% set found = dbt_selfheal._manifest().find_materialization_macro_by_name(
    adapter.config.project_name, node.config.materialized, adapter.type()) %}
  {% if not found %}{% do return(none) %}{% endif %}
  {% do return((context.get(found.package_name) or {}).get(found.name) or context['dbt'].get(found.name)) %}
{% endmacro %}


{# dbt releases a node's connection when the node is done, and what its materialization or hooks did not commit is
   lost. The connection of a hook lives on, so the same is done here. connection: as a statement hands it over, if there
   was one: it tells whether dbt knows of an open transaction, and where the driver does (0: idle), whether the database has one, so that nothing
   is sent then. (The empty transaction that is committed after the rollback tells dbt that none is.) #}
{% macro _discard_open_transaction(connection=none, traits=none) %}
  {% set kind = (traits or dbt_selfheal._traits()).transactions %}
  {% if kind == 'none' or (kind == 'database' and connection and not connection.transaction_open and connection.handle.get_transaction_status is defined
      and connection.handle.get_transaction_status() == 0) %}{% do return(none) %}{% endif %}
  {% set connection = adapter.add_query('rollback', auto_begin=false)[0] if kind == 'database' else connection or adapter.add_query('select 1', auto_begin=false)[0] %}
  {% if connection.transaction_open %}
    {% if kind == 'dbt' %}{% do adapter.add_query('rollback', auto_begin=false) %}{% endif %}
    {% do adapter.add_query('begin', auto_begin=false) %}
    {% do adapter.commit() %}
  {% endif %}
{% endmacro %}
