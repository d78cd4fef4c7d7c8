{#
  The survey: from what is required, up the graph, to everything that is missing. What is missing is an answer of the
  database, asked once for each schema (and of dbt's cache only where it is not known how to ask: other hooks and programs change what is there).

  It passes through ephemeral models and through what is missing; a table that exists ends it. A view that exists is judged by
  what it reads in the database, not by its code, which may have changed since: only if the database cannot read it is what is
  above it looked at. In rounds over a frontier: the cost is linear in the part of the graph visited.
#}

{# front: list of (unique id, reason, unique id of the reader or none) of what is required; selected: dict keyed by selected unique ids;
   clone: whether what dbt would read in another environment is cloned from there, so that it is missing here.
   Returns {unique_id: {unique_id, node, kind, place, alias, type, is_function, reason, missing, selected, parents, children, certain, outside, clone}} of all nodes
   visited, in the order of the visit. kind: materialization, or type (dbt v2 knows none of a seed); place: `database.schema`; children, refusal: to be filled in by _in_build_order and _mark_refusals; type: of the relation that is there, or none; certain: whether it is certain that what is
   required reads it; outside: where its data is, if that is outside of the database (see the trait); clone: what it is to be cloned from,
   or none; orphan: whether it is an unreadable view, which may be a clone whose source is gone. view: the existing view through which it is read, or none.
   names: dict that remembers what is in the schemas asked.
   (dbt v2 cannot ask whether a view can be read: what its code in the database names, it reads for certain.) #}
{% macro _survey(front, selected, clone, names={}) %}
  {% set manifest, walk, own, visited = dbt_selfheal._manifest(), namespace(front=front), 'macro.' ~ project_name, {} %}
  {% set nodes, functions = manifest.nodes, manifest.functions or {} %}
  {% set text = '[\'"]([^\'"\\\\{}]*)[\'"]' %}  {# a whole expression of which it is plain what it reads, with nothing but literals in it #}
  {% set plain = '[{][{]-?\\s*(?:(?:ref|source|function)\\(\\s*(?:' ~ text.replace('(', '(?:') ~ '\\s*,\\s*)?' ~ text ~ '\\s*(?:,\\s*v(?:ersion)?\\s*=\\s*[\'"]?\\w+[\'"]?\\s*)?\\)|config\\([^(){}]*\\)|this|target[.]\\w+)\\s*-?[}][}]' %}
  {% set sends_elsewhere = dbt_version >= '2' or own ~ '.ref' in manifest.macros or own ~ '.source' in manifest.macros %}
  {% set by_alias, unfound, traits = {}, [], dbt_selfheal._traits() %}
  {% set survey = (nodes, visited, names, selected, {}, {}, unfound, traits, clone, invocation_args_dict.get('favor_state'), dbt_version >= '2', modules.re.compile(plain),
    modules.re.compile('' if sends_elsewhere else '[{]%|--|/[*]|[{]#|(?!' ~ plain ~ ')[{][{]')) %}  {# what _visit unpacks at once; a dict's values are looked up one by one #}
  {% for round in range(nodes | length + manifest.sources | length + 2) if walk.front %}
    {% set next = [] %}
    {% for id, reason, reader, certain in walk.front %}
      {% set known, node, maker = visited[id], nodes[id] or functions[id], none %}
      {% set is_new = not known or certain and not known.certain or known.deferred and (visited[reader] or {}).type == 'view' and not visited[reader].missing %}
      {% if is_new and node and node.resource_type in ('model', 'seed', 'snapshot', 'function') %}
        {% do dbt_selfheal._visit(survey, next, node, id, reason, reader, certain) %}
      {% elif is_new and id in manifest.sources %}
        {% set maker = dbt_selfheal._maker_of(id, by_alias) %}
        {% if maker %}
          {% do visited.update({id: {'unique_id': id, 'node': none, 'missing': false, 'selected': false, 'parents': [maker], 'children': [], 'certain': certain}}) %}
          {% do next.append((maker, reason ~ ' as source ' ~ manifest.sources[id].source_name, none, certain)) %}
        {% endif %}
      {% endif %}
    {% endfor %}
    {% set walk.front = next %}
  {% endfor %}
  {% for node in unfound %}
    {% do exceptions.warn('dbt_selfheal: with --favor-state ' ~ node.name ~ ' is read from ' ~ node.defer_relation.database ~ '.' ~ node.defer_relation.schema ~ ', which has no ' ~ node.defer_relation.alias
      ~ ': it is missing in the environment of --state.') %}
  {% endfor %}
  {% do return(visited) %}
{% endmacro %}


{# Visit a node: put it into what was visited, and what it reads into the next round, where that is called for. survey: what _survey keeps, a tuple;
   next: list of the next round; the rest: an entry of a round. (It is called for each node: how a macro is kept cheap there, CONTRIBUTING.md says.) #}
{% macro _visit(survey, next, node, id, reason, reader, certain) %}
  {% set nodes, visited, names, selected, edges, codes, unfound, traits, clone, favor, v2, plain, doubtful = survey %}
  {% set known, before = visited[id], visited[reader] or {} %}
  {% set by_view = before.type == 'view' and not before.missing %}
  {% set type, outside, relation, elsewhere, code, because = none, none, none, none, none, none %}  {# Jinja looks up in the context, at each call, what is set in a branch alone #}
  {% set alias, exact = node.alias, traits.exact %}
  {% set name = alias if exact else alias | lower %}
  {% set kind, place = node.config.materialized or node.resource_type, node.database ~ '.' ~ node.schema %}
  {% set ephemeral, is_function = kind == 'ephemeral', id[:9] == 'function.' or kind == 'table_function' %}
  {% if not ephemeral and not is_function %}
    {% if place not in names and traits.names %}{% do names.update({place: dbt_selfheal._names_in_schema(node, not exact)}) %}{% endif %}
    {% set relation = adapter.get_relation(node.database, node.schema, alias) if not traits.names %}
    {% set type = (names[place][name] if name in names[place] else none) if traits.names else relation and (relation.type or 'table') %}
    {% if kind == 'external' and traits.outside %}{% set outside = traits.outside(node) %}{% endif %}
  {% endif %}
  {% set other, deferred = node.defer_relation, false %}
  {% if other and (not type or favor) and id not in selected and not by_view %}  {# what an existing view reads is here; else dbt reads elsewhere, if it is there #}
    {% set elsewhere = other.database ~ '.' ~ other.schema %}
    {% if elsewhere not in names and traits.names %}{% do names.update({elsewhere: dbt_selfheal._names_in_schema(other, not exact)}) %}{% endif %}
    {% set deferred = (other.alias if exact else other.alias | lower) in names[elsewhere] if traits.names else adapter.get_relation(other.database, other.schema, other.alias) %}
    {% if favor and not deferred %}{% do unfound.append(node) %}{% endif %}
    {% set deferred = deferred or favor %}
  {% endif %}
  {% set cloned, deferred = (node.defer_relation, false) if clone and deferred and not type and not is_function else (none, deferred) %}
  {% set there = (type and (not outside or outside.exists)) or deferred or (is_function and not dbt_selfheal._absent([{'node': node, 'is_function': true}])) %}
  {% if not there and not ephemeral and not cloned and kind not in ('table', 'view', 'incremental', 'seed', 'snapshot') %}{% set there = dbt_selfheal._leaves_nothing(node) %}{% endif %}
  {% set broken = type == 'view' and there and not deferred and not traits.bound_views and not (traits.can_read and traits.can_read(node)) %}
  {% set orphan = clone and broken and traits.can_read is not none %}
  {% set reads = not deferred and not cloned and not (outside and outside.exists) and (not there or broken or is_function) %}
  {% set parents = (node.depends_on.nodes if reads) or [] %}
  {% set view, by = before.view if reader, nodes[reader] %}
  {% if reader and not there and reader not in edges %}
    {% set code = (by.raw_code or '') if by else '' %}  {# what its configuration reads is not in it #}
    {% do edges.update({reader: dbt_selfheal._edges(reader, selected) if by
      and (doubtful.search(code) or plain.findall(code) | select | unique(true) | list | length != (before.parents or by.depends_on.nodes) | length) else {}}) %}
  {% endif %}
  {% set edge = edges[reader][id] if reader and not there %}
  {% if edge != 'unread' %}
    {% if view and v2 and not there and view not in codes %}
      {% set code = dbt_selfheal._fetch(traits.view_code, visited[view].node, visited[view].node.alias) | map(attribute=0) | join if traits.view_code else '' %}
      {% do codes.update({view: code}) %}
    {% endif %}
    {% set certain = certain and edge != 'unknown' and (alias in codes[view] if view in codes else true) %}
    {% do visited.update({id: {'unique_id': id, 'node': node, 'kind': kind, 'place': place, 'alias': alias, 'type': type, 'is_function': is_function, 'reason': known.reason if known else reason, 'outside': outside, 'clone': cloned,
      'missing': (not there and not ephemeral) or orphan, 'orphan': orphan, 'deferred': deferred, 'selected': id in selected, 'parents': parents, 'children': [], 'certain': certain,
      'view': id if broken else view if ephemeral else none, 'refusal': none}}) %}
    {% set because = 'parent of ' ~ node.name %}
    {% for parent in parents %}{% do next.append((parent, because, id, certain)) %}{% endfor %}
  {% endif %}
{% endmacro %}


{# The unique id of the seed, snapshot or model whose relation is exactly that of a source; none if there is none.
   (Very common: projects that read their own seeds as sources.) by_alias: dict that is filled once: the nodes by alias. #}
{% macro _maker_of(source_id, by_alias) %}
  {% set source = dbt_selfheal._manifest().sources[source_id] %}
  {% if not by_alias %}
    {% for node in dbt_selfheal._manifest().nodes.values() if node.resource_type in ('model', 'seed', 'snapshot') %}
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
  {% set manifest = dbt_selfheal._manifest() %}
  {% if not manifest.macros %}{% do return(node.config.materialized not in ('materialized_view', 'dynamic_table', 'streaming_table', 'external', 'table_function')) %}{% endif %}  {# dbt v2, which cannot be asked: what is not certain stops nothing #}
  {% set found = manifest.find_materialization_macro_by_name(project_name, node.config.materialized, adapter.type()) %}
  {% if not found or found.package_name in ('dbt', 'dbt_' ~ adapter.type()) %}{% do return(false) %}{% endif %}
  {% set returned = modules.re.findall('[\'"]relations[\'"]\\s*:\\s*\\[\\s*([^\\]]*)', found.macro_sql) %}
  {% if returned and not returned | join %}{% do return(true) %}{% endif %}
  {% do return(not modules.re.search('(?i)create|rename_relation|store_relation|materialization_\\w+_\\w+[(]', dbt_selfheal._code_of_macros([found.unique_id]).replace('create_schema', ''))) %}
{% endmacro %}
