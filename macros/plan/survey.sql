{#
  The survey: from what is required, up the graph, to everything that is missing. What is missing is an answer of the
  database, asked once for each schema (and of dbt's cache only where it is not known how to ask: other hooks and programs change what is there).

  It passes through ephemeral models and through what is missing; a table that exists ends it. A view that exists is judged by
  what it reads in the database, not by its code, which may have changed since: only if the database cannot read it is what is
  above it looked at. In rounds over a frontier, no call per node: the cost is linear in the part of the graph visited.
#}

{# front: list of (unique id, reason, unique id of the reader or none) of what is required; selected: dict keyed by selected unique ids;
   clone: whether what dbt would read in another environment is cloned from there, so that it is missing here.
   Returns {unique_id: {unique_id, node, type, is_function, reason, missing, selected, parents, certain, outside, clone}} of all nodes
   visited, in the order of the visit. type: of the relation that is there, or none; certain: whether it is certain that what is
   required reads it; outside: where its data is, if that is outside of the database (see the trait); clone: what it is to be cloned from,
   or none; orphan: whether it is an unreadable view, which may be a clone whose source is gone. #}
{% macro _survey(front, selected, clone) %}
  {% set manifest, visited, edges, names, by_alias = builtins.ref.manifest, {}, {}, {}, {} %}
  {% set traits, doubtful = dbt_selfheal._traits(), modules.re.compile('[{]%|--|/[*]|[{]#|[{][{]-?\\s*(?!(?:ref|source|config|this|var|target|env_var|function)\\b)') %}
  {% set exact, asks = not traits.any_case and adapter.config.quoting.identifier is not false, traits.names %}
  {% set walk, project = namespace(front=front), 'macro.' ~ adapter.config.project_name %}
  {% if project ~ '.ref' in manifest.macros or project ~ '.source' in manifest.macros %}{% set doubtful = modules.re.compile('') %}{% endif %}
  {% for round in range(manifest.nodes | length + manifest.sources | length + 2) if walk.front %}
    {% set next = [] %}
    {% for id, reason, reader, certain in walk.front if id not in visited or (certain and not visited[id].certain) or (visited[id].deferred and reader in visited and visited[reader].type == 'view' and not visited[reader].missing) %}
      {% set node = manifest.nodes.get(id) or (manifest.functions or {}).get(id) %}
      {% if node is none %}
        {% set maker = dbt_selfheal._maker_of(id, by_alias) if id in manifest.sources %}
        {% if maker %}
          {% do visited.update({id: {'unique_id': id, 'node': none, 'missing': false, 'selected': false, 'parents': [maker], 'certain': certain}}) %}
          {% do next.append((maker, reason ~ ' as source ' ~ manifest.sources[id].source_name, none, certain)) %}
        {% endif %}
      {% elif node.resource_type in ('model', 'seed', 'snapshot', 'function') %}
        {% set is_function = node.resource_type == 'function' or node.config.materialized == 'table_function' %}
        {% set ephemeral, place, type, outside = node.config.materialized == 'ephemeral', node.database ~ '.' ~ node.schema, none, none %}
        {% if not ephemeral and not is_function %}
          {% if place not in names and asks %}{% do names.update({place: dbt_selfheal._names_in_schema(node, not exact)}) %}{% endif %}
          {% set cached = adapter.get_relation(node.database, node.schema, node.alias) if not asks %}
          {% set type = names[place].get(node.alias if exact else node.alias | lower) if asks else cached and (cached.type or 'table') %}
          {% if node.config.materialized == 'external' and traits.outside %}{% set outside = traits.outside(node) %}{% endif %}
        {% endif %}
        {% set other, favor = node.defer_relation, adapter.config.args.favor_state %}
        {% set deferred = other and (not type or favor) and id not in selected and not (reader in visited and visited[reader].type == 'view' and not visited[reader].missing) %}
        {% if deferred %}  {# what an existing view reads is here; else dbt reads elsewhere, if it is there #}
          {% set elsewhere = other.database ~ '.' ~ other.schema %}
          {% if elsewhere not in names and asks %}{% do names.update({elsewhere: dbt_selfheal._names_in_schema(other, not exact)}) %}{% endif %}
          {% if not ((other.alias if exact else other.alias | lower) in names[elsewhere] if asks else adapter.get_relation(other.database, other.schema, other.alias)) %}
            {% if favor %}{% do exceptions.warn('dbt_selfheal: with --favor-state ' ~ node.name ~ ' is read from ' ~ elsewhere ~ ', which has no ' ~ other.alias ~ ': it is missing in the environment of --state.') %}
            {% else %}{% set deferred = false %}{% endif %}
          {% endif %}
        {% endif %}
        {% set cloned, deferred = (other, false) if clone and deferred and not type and not is_function else (none, deferred) %}
        {% set there = (type and (not outside or outside.exists)) or deferred or (is_function and not dbt_selfheal._absent([{'node': node, 'is_function': true}])) %}
        {% if not there and not ephemeral and not cloned and node.config.materialized not in ('table', 'view', 'incremental', 'seed', 'snapshot') %}
          {% set there = dbt_selfheal._leaves_nothing(node) %}
        {% endif %}
        {% if reader and not there and reader not in edges %}
          {% do edges.update({reader: dbt_selfheal._edges(reader, selected) if reader in manifest.nodes and doubtful.search(manifest.nodes[reader].raw_code or '') else {}}) %}
        {% endif %}
        {% set edge = edges[reader].get(id) if reader and not there %}
        {% if edge != 'unread' %}
          {% set certain = certain and edge != 'unknown' %}
          {% set broken = type == 'view' and there and not deferred and not traits.bound_views and not (traits.can_read and traits.can_read(api.Relation.create_from(adapter.config, node))) %}
          {% set orphan = clone and broken and traits.can_read is not none %}
          {% set parents = node.depends_on_nodes if not deferred and not cloned and not outside.exists and (not there or broken or is_function) else [] %}
          {% do visited.update({id: {
            'unique_id': id, 'node': node, 'type': type, 'is_function': is_function, 'reason': visited[id].reason if id in visited else reason, 'outside': outside, 'clone': cloned,
            'missing': (not there and not ephemeral) or orphan, 'orphan': orphan, 'deferred': deferred, 'selected': id in selected, 'parents': parents, 'certain': certain}}) %}
          {% for parent in parents %}{% do next.append((parent, 'parent of ' ~ node.name, id, certain)) %}{% endfor %}
        {% endif %}
      {% endif %}
    {% endfor %}
    {% set walk.front = next %}
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
  {% for node in by_alias.get(source.identifier | lower, []) if (node.database ~ '.' ~ node.schema) | lower == (source.database ~ '.' ~ source.schema) | lower %}
    {% do return(node.unique_id) %}
  {% endfor %}
  {% do return(none) %}
{% endmacro %}


{# Whether a node's materialization is one of the project or of a package that is known to leave no relation: its side effects are not
   ours to repeat. #}
{% macro _leaves_nothing(node) %}
  {% set manifest = builtins.ref.manifest %}
  {% set found = manifest.find_materialization_macro_by_name(adapter.config.project_name, node.config.materialized, adapter.type()) %}
  {% if not found or found.package_name in ('dbt', 'dbt_' ~ adapter.type()) %}{% do return(false) %}{% endif %}
  {% set returned = modules.re.findall('[\'"]relations[\'"]\\s*:\\s*\\[\\s*([^\\]]*)', found.macro_sql) %}
  {% if returned and not returned | join %}{% do return(true) %}{% endif %}
  {% do return(not modules.re.search('(?i)create|rename_relation|store_relation|materialization_\\w+_\\w+[(]', dbt_selfheal._code_of_macros([found.unique_id]).replace('create_schema', ''))) %}
{% endmacro %}
