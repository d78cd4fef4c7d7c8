{#
  The plan: what is required, what is missing, what will be built in which order and why, and what cannot be built in
  a hook and with which command it can. Made apart from its execution, so that a dry run is free.
#}

{# Returns the plan, a dict:
     required: {unique_id: reason} as asked for; declared: those of them that the project declares
     visited:  of _survey; order: its entries, parents before children; empty where nothing is missing
     steps:    list of entries in build order (see _survey), each with 'refusal' (none, or why a hook cannot build it) and, where something is
               refused, 'held_up_by': the refused ones that it is or needs, as the keys of a dict
     postponed: list of entries declared required that need what the command itself builds
   reads: {'reasons': {unique_id: reason}, 'front': the same for each reader, as _survey takes it, 'early': what must be there before the command's
   nodes even if it makes it, as the keys of a dict}; declared: {unique_id: reason}; selected: dict keyed by selected unique ids; clone, names: see _survey. #}
{% macro _plan(reads, declared, selected, clone, names={}) %}
  {% set required, front = dict(reads.reasons), reads.front | list %}
  {% for unique_id, reason in declared.items() if unique_id not in selected %}
    {% if required.setdefault(unique_id, reason) == reason %}{% do front.append((unique_id, reason, none, true)) %}{% endif %}
  {% endfor %}
  {% set visited, nodes = dbt_selfheal._survey(front, selected, clone, names) if required else {}, dbt_selfheal._manifest().nodes %}
  {% set plan = {'required': required, 'declared': declared, 'visited': visited, 'early': reads.early, 'order': [], 'steps': [], 'postponed': []} %}
  {% set sources = [] %}  {# that the command itself makes #}
  {% for id in reads.reasons if id in visited and not visited[id].node and visited[id].parents[0] in selected %}{% do sources.append(id) %}{% endfor %}
  {% if visited.values() | selectattr('missing') | rejectattr('selected') | first is defined or reads.early or sources %}
    {% set entries = dbt_selfheal._in_build_order(visited) %}
    {% do plan.update({'order': entries}) %}
    {% if selected | select('in', visited) | first is defined %}
      {% do dbt_selfheal._mark_postponed(entries, dbt_selfheal._survey(reads.front, selected, clone, names) if declared else visited, visited, reads, sources) %}
    {% endif %}
    {% for entry in entries if entry['missing'] and (not entry['selected'] or entry.needed) %}
      {% do plan[('postponed' if entry.postponed else 'steps')].append(entry) %}
    {% endfor %}
    {% set kinds = dbt_selfheal._mark_refusals(plan.steps) %}
    {% if 'incremental' in kinds or 'snapshot' in kinds %}{% do dbt_selfheal._mark_lost_history(plan.steps, selected) %}{% endif %}
    {% if plan.steps | rejectattr('certain') | first is defined %}{% do dbt_selfheal._leave_out(plan) %}{% endif %}
    {% set refused = dict.fromkeys(plan.steps | selectattr('refusal') | map(attribute='unique_id')) %}
    {% for entry in entries if refused %}
      {% do entry.update({'held_up_by': {entry.unique_id: 1} if entry.unique_id in refused else {}}) %}
      {% for parent in entry.parents if parent in visited %}{% do entry.held_up_by.update(visited[parent].held_up_by or {}) %}{% endfor %}
    {% endfor %}
  {% endif %}
  {% do return(plan) %}
{% endmacro %}


{# Mark those of the entries that need what the command itself builds: `postponed`, what only the project declares; `needed`, what is read by what
   is to be built, or before the command's nodes, and so is built although it is selected. read: what the survey visited from what the
   command reads; sources: unique ids of those that the command itself makes, without an edge of dbt's between maker and reader. #}
{% macro _mark_postponed(entries, read, visited, reads, sources) %}
  {% set nodes, early = dbt_selfheal._manifest().nodes, dict(reads.early) %}
  {% for id, reason, reader, certain in reads.front if id in sources and reader in nodes %}
    {% set above, front = {}, [reader] %}
    {% for round in range(999) if front %}
      {% set readers = front | reject('in', above) | select('in', nodes) | list %}
      {% do front.clear() %}
      {% for node in readers %}{% do above.update({node: 1}) %}{% do front.extend(nodes[node].depends_on.nodes or []) %}{% endfor %}
    {% endfor %}
    {% if visited[id].parents[0] not in above %}{% do early.update({visited[id].parents[0]: 1}) %}{% endif %}
  {% endfor %}
  {% set needs_selected = {} %}
  {% for entry in entries %}  {# what only the project declares is postponed if it needs what the command itself builds #}
    {% for parent in entry.parents if parent in visited and (parent in needs_selected or visited[parent].missing and visited[parent].selected) %}
      {% do needs_selected.update({entry.unique_id: true}) %}
    {% endfor %}
    {% do entry.update({'postponed': entry.unique_id in needs_selected and entry.unique_id not in read, 'needed': false}) %}
  {% endfor %}
  {% for id in early if id in visited and visited[id].selected %}{% do visited[id].update({'needed': true, 'certain': false}) %}{% endfor %}  {# dbt may come to it in time #}
  {% for entry in entries | reverse %}  {# dbt v2 evaluates a filter of the loop before its body, which sets what it asks for #}
    {% if entry.needed or (entry.missing and not entry.selected and not entry.postponed) %}
      {% for parent in entry.parents if parent in visited %}{% do visited[parent].update({'needed': true}) %}{% endfor %}
    {% endif %}
  {% endfor %}
{% endmacro %}


{# The visited entries with parents before children: seeds first, then by level, by unique id within a level. Raises for nodes that
   need each other, which only a source that one of them makes can bring about. Called once on what a survey has visited, whose `children` it fills. #}
{% macro _in_build_order(visited) %}
  {% set waiting = dict() %}
  {% for unique_id, entry in visited.items() %}
    {% set parents = entry['parents'] %}
    {% do waiting.update({unique_id: parents | length}) %}
    {% for parent in parents %}
      {% if parent in visited %}{% do visited[parent]['children'].append(unique_id) %}{% else %}{% do waiting.update({unique_id: waiting[unique_id] - 1}) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {% set seeds, others = [], [] %}
  {% set ready = [] %}
  {% for unique_id, count in waiting.items() if not count %}{% do ready.append(unique_id) %}{% endfor %}
  {% for level in range(visited | length) if ready %}
    {% set ids = ready | sort %}
    {% do ready.clear() %}
    {% for unique_id in ids %}
      {% do (seeds if unique_id[:5] == 'seed.' else others).append(visited[unique_id]) %}
      {% for child in visited[unique_id]['children'] %}
        {% do waiting.update({child: waiting[child] - 1}) %}
        {% if not waiting[child] %}{% do ready.append(child) %}{% endif %}
      {% endfor %}
    {% endfor %}
  {% endfor %}
  {% if seeds | length + others | length < visited | length %}
    {% set names = [] %}
    {% for unique_id, count in waiting.items() if count and visited[unique_id].node %}{% do names.append(visited[unique_id].node.name ~ ' (' ~ visited[unique_id].node.original_file_path ~ ')') %}{% endfor %}
    {% do dbt_selfheal._raise('these are missing and need each other, through a source that one of them makes: ' ~ names[:12] | join(', ')
      ~ '\nRead it with ref() instead of source(), or load the source before. Nothing was built.') %}
  {% endif %}
  {% do return(seeds + others) %}
{% endmacro %}
