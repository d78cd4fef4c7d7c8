{#
  The survey: from what is required, up the graph, to everything that is missing (DESIGN 4).

  It passes through ephemeral models, through views that exist (a view over a dropped table is a "table does not
  exist" in waiting) and through what is missing; a table that exists ends it. One loop, no call per node: its cost is
  linear in the part of the graph that it visits, and with nothing missing it asks only dbt's own relation cache.
#}

{# required: {unique_id: reason}, those that the command reads first; selected: dict keyed by selected unique ids.
   Returns {unique_id: {unique_id, node, relation, is_function, reason, missing, selected, parents}} of all nodes visited, in
   the order of the visit; relation is the cached relation, or none. #}
{% macro _survey(required, selected) %}
  {% set manifest = builtins.ref.manifest %}
  {% set reasons = dict(required) %}
  {% set queue = required | list %}
  {% set visited = {} %}
  {% set by_alias = {} %}
  {% for unique_id in queue if unique_id not in visited %}
    {% set node = manifest.nodes.get(unique_id) or (manifest.functions or {}).get(unique_id) %}
    {% if node is none %}
      {% set maker = dbt_selfheal._maker_of(unique_id, by_alias) if unique_id in manifest.sources %}
      {% if maker %}
        {% do reasons.setdefault(maker, reasons[unique_id] ~ ' as source ' ~ manifest.sources[unique_id].source_name) %}
        {% do visited.update({unique_id: {'unique_id': unique_id, 'node': none, 'missing': false, 'selected': false, 'parents': [maker]}}) %}
        {% do queue.append(maker) %}
      {% endif %}
    {% elif node.resource_type in ('model', 'seed', 'snapshot', 'function') %}
      {% set is_function = node.resource_type == 'function' or node.config.materialized == 'table_function' %}
      {% set ephemeral = node.resource_type == 'model' and node.is_ephemeral_model %}
      {% set relation = none if ephemeral or is_function else adapter.get_relation(node.database, node.schema, node.alias) %}
      {% set deferred = node.defer_relation and (not relation or adapter.config.args.favor_state) and unique_id not in selected %}
      {% set there = relation or deferred or (is_function and dbt_selfheal._function_exists(node)) %}
      {% set parents = node.depends_on_nodes if (not there or relation.is_view or is_function) and not deferred else [] %}
      {% do visited.update({unique_id: {
        'unique_id': unique_id, 'node': node, 'relation': relation, 'is_function': is_function, 'reason': reasons[unique_id],
        'missing': not there and not ephemeral, 'selected': unique_id in selected, 'parents': parents}}) %}
      {% for parent in parents %}
        {% do reasons.setdefault(parent, 'parent of ' ~ node.name) %}
        {% do queue.append(parent) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {% do return(visited) %}
{% endmacro %}


{# The unique id of the seed, snapshot or model whose relation is exactly that of a source; none if there is none.
   (Very common: projects that read their own seeds as sources.) by_alias: dict that is filled once: the nodes by alias. #}
{% macro _maker_of(source_id, by_alias) %}
  {% set source = builtins.ref.manifest.sources[source_id] %}
  {% if not by_alias %}
    {% for node in builtins.ref.manifest.nodes.values() if node.resource_type in ('model', 'seed', 'snapshot') %}
      {% do by_alias.setdefault(node.alias | lower, []).append(node) %}
    {% endfor %}
  {% endif %}
  {% for node in by_alias.get(source.identifier | lower, []) if dbt_selfheal._same_place(node, source) %}
    {% do return(node.unique_id) %}
  {% endfor %}
  {% do return(none) %}
{% endmacro %}


{# Whether a node and a source name the same database and schema, whatever their case. #}
{% macro _same_place(node, source) %}
  {% do return(node.schema | lower == source.schema | lower and (node.database or '') | lower == (source.database or '') | lower) %}
{% endmacro %}


{# Whether the database has a function: a function node of dbt 1.11, or what the table_function materialization of
   dbt-duckdb makes. dbt's relation cache knows no functions: this is a query, and only nodes that need it cost it. #}
{% macro _function_exists(node) %}
  {% do return(adapter.dispatch('_function_exists', 'dbt_selfheal')(node)) %}
{% endmacro %}

{% macro default___function_exists(node) %}
  {% do dbt_selfheal._raise(node.resource_type ~ ' ' ~ node.name ~ ' (' ~ node.original_file_path ~ '): it is not known how to look up functions on '
    ~ adapter.type() ~ '.\nSelect it together with what reads it, for example with `dbt build --select +...`.') %}
{% endmacro %}

{% macro duckdb___function_exists(node) %}
  {% set sql %}
    select 1 from duckdb_functions()
    where lower(database_name) = lower({{ dbt_selfheal._literal(node.database) }}) and lower(schema_name) = lower({{ dbt_selfheal._literal(node.schema) }})
      and lower(function_name) = lower({{ dbt_selfheal._literal(node.alias) }}) and not internal
    limit 1
  {% endset %}
  {% do return(run_query(sql).rows | length > 0) %}
{% endmacro %}

{% macro postgres___function_exists(node) %}
  {% set sql %}
    select 1 from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = {{ dbt_selfheal._literal(node.schema) }} and p.proname = {{ dbt_selfheal._literal(node.alias) }}
    limit 1
  {% endset %}
  {% do return(run_query(sql).rows | length > 0) %}
{% endmacro %}
