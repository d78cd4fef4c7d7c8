{#
  The survey: from what is required, up the graph, to everything that is missing (DESIGN 4).

  It passes through ephemeral models, through views that exist (a view over a dropped table is a "table does not
  exist" in waiting) and through what is missing; a table that exists ends it. One loop, no call per node: its cost is
  linear in the part of the graph that it visits, and with nothing missing it asks only dbt's own relation cache.
#}

{# required: {unique_id: reason}, those that the command reads first; selected: dict keyed by selected unique ids.
   Returns {unique_id: {unique_id, node, relation, missing, selected, parents, reason}} of all nodes visited, in the
   order of the visit; relation is the cached relation, or none. #}
{% macro _survey(required, selected) %}
  {% set manifest = builtins.ref.manifest %}
  {% set reasons = dict(required) %}
  {% set queue = required | list %}
  {% set visited = {} %}
  {% set aliases = {} %}
  {% for unique_id in queue if unique_id not in visited %}
    {% set node = manifest.nodes.get(unique_id) %}
    {% if node is none %}
      {% set maker = dbt_selfheal._maker_of(unique_id, aliases) if unique_id in manifest.sources %}
      {% if maker %}
        {% do reasons.setdefault(maker, reasons[unique_id] ~ ' as source ' ~ manifest.sources[unique_id].source_name) %}
        {% do visited.update({unique_id: {'unique_id': unique_id, 'node': none, 'missing': false, 'selected': false, 'parents': [maker]}}) %}
        {% do queue.append(maker) %}
      {% endif %}
    {% elif node.resource_type in ('model', 'seed', 'snapshot') %}
      {% set relation = none if node.is_ephemeral_model else adapter.get_relation(node.database, node.schema, node.alias) %}
      {% set deferred = flags.DEFER and node.defer_relation and (not relation or flags.FAVOR_STATE) and unique_id not in selected %}
      {% set missing = not relation and not deferred and not node.is_ephemeral_model %}
      {% set parents = node.depends_on_nodes if (not relation and not deferred) or relation.is_view else [] %}
      {% do visited.update({unique_id: {
        'unique_id': unique_id, 'node': node, 'relation': relation, 'missing': missing, 'selected': unique_id in selected,
        'parents': parents, 'reason': reasons[unique_id]}}) %}
      {% for parent in parents %}
        {% do reasons.setdefault(parent, 'parent of ' ~ node.name) %}
        {% do queue.append(parent) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {% do return(visited) %}
{% endmacro %}


{# The unique id of the seed, snapshot or model whose relation is exactly that of a source; none if there is none.
   (Very common: projects that read their own seeds as sources.) aliases: dict keyed by the aliases of all nodes. #}
{% macro _maker_of(source_id, aliases) %}
  {% set source = builtins.ref.manifest.sources[source_id] %}
  {% if not aliases %}{% do aliases.update(dict.fromkeys(builtins.ref.manifest.nodes.values() | map(attribute='alias'))) %}{% endif %}
  {% if source.identifier in aliases %}
    {% for node in builtins.ref.manifest.nodes.values() | selectattr('alias', 'equalto', source.identifier) %}
      {% if node.resource_type in ('model', 'seed', 'snapshot') and dbt_selfheal._same_place(node, source) %}
        {% do return(node.unique_id) %}
      {% endif %}
    {% endfor %}
  {% endif %}
  {% do return(none) %}
{% endmacro %}


{# Whether a node and a source name the same database and schema, whatever their case. #}
{% macro _same_place(node, source) %}
  {% do return(node.schema | lower == source.schema | lower and (node.database or '') | lower == (source.database or '') | lower) %}
{% endmacro %}
