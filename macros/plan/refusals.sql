{#
  What a hook cannot build is never approximated: the plan says so. What does not need it is built all the same; then the command stops.
#}

{# Give each step why a hook cannot build it faithfully (refusal: a string, or none when it can). Asked once for each kind of
   node and each schema; a name is each node's own. Returns the materializations of the steps that are not cloned. #}
{% macro _mark_refusals(steps) %}
  {% set refusals, forbidden, quote, query, dbts = dict(), {}, adapter.quote('x')[0], dbt_selfheal._traits().forbidden, ('macro.dbt.', 'macro.dbt_' ~ adapter.type() ~ '.') %}
  {% set calls, own, v1 = modules.re.compile('(?:\\w+[.])?\\b\\w+\\s*[(]|builtins'), project_name, dbt_version < '2' %}  {# of macros, and what dbt's builtins are asked #}
  {% for entry in steps %}
    {% set node, kind, place, name, others = entry['node'], entry['kind'], entry['place'], entry['place'] ~ entry['alias'], [] %}
    {% set like = entry['clone'] is none and (node.package_name, kind, node.language, kind == 'incremental' and node.config.incremental_strategy, entry['selected'], node.depends_on.macros | join,
                                           dict.fromkeys(calls.findall(node.raw_code or '')) | join) %}
    {% if like not in refusals %}  {# what is dbt's own alone, and the root project's, is looked at no closer #}
      {% for id in dbt_selfheal._macros_of(node) if like and not id.startswith(dbts) %}{% do others.append(id) %}{% endfor %}
      {% do refusals.update({like: none if not like or v1 and not others and 'builtins' not in like[-1] and like[0] == own and like[1] in ('table', 'view', 'seed') and like[2] != 'python'
        else dbt_selfheal._refusal(entry)}) %}
    {% endif %}
    {% if place not in forbidden %}{% do forbidden.update({place: query and (dbt_selfheal._fetch(query, node) | map(attribute=0) | first)}) %}{% endif %}
    {% if forbidden[place] or refusals[like] or quote in name %}
      {% do entry.update({'refusal': 'its database, schema or alias holds a quote, which dbt puts into SQL as it is' if quote in name else forbidden[place] or refusals[like]}) %}
    {% endif %}
  {% endfor %}
  {% do return(refusals | select | map(attribute=1) | list) %}
{% endmacro %}


{# Why a hook cannot build nodes of this kind: a string, or none. What it asks must be part of `like` above.
   entry: of the survey, the first of its kind. #}
{% macro _refusal(entry) %}
  {% set node = entry.node %}
  {% if entry.selected and (node.config.materialized or node.resource_type) not in ('seed', 'table', 'view') %}
    {% do return('this command builds it too, after something unselected needs it, and ' ~ node.config.materialized ~ ' built twice is not built once') %}
  {% elif dbt_version >= '2' %}  {# there dbt itself builds it, and not a hook #}
    {% do return(none) %}
  {% elif node.language == 'python' %}
    {% do return('Python models run outside of the database connection') %}
  {% elif node.config.materialized == 'incremental' and node.config.incremental_strategy == 'microbatch' %}
    {% do return('microbatch models are run batch by batch by dbt itself') %}
  {% elif not dbt_selfheal._materialization(node) %}
    {% do return('the materialization ' ~ node.config.materialized ~ ' is not found') %}
  {% endif %}
  {% set uses = dbt_selfheal._macro_uses(node) %}
  {% if uses.has_var %}
    {% do return('a macro that it calls asks var.has_var(), which a hook cannot answer for it') %}
  {% elif uses.calls and uses.reads %}
    {% do return('macros that it calls use both config(...) and config.get(...), which a hook cannot tell apart') %}
  {% elif uses.ref_others or uses.ref_calls and uses.ref_reads %}
    {% do return('it, or macros that it calls, look into dbt\'s own builtins.ref, which a hook cannot answer for it') %}
  {% endif %}
  {# A package's macro that dispatches without a namespace finds the package's own implementation before the root project's; from a
     hook it is the other way round. Where both have one, a hook cannot build the package's nodes. #}
  {% set root = context.get(project_name, {}) %}
  {% set macros = context.get(node.package_name, {}) if node.package_name != project_name else {} %}
  {% for name in macros if '__' in name and name in root %}
    {% set dispatched = name.split('__', 1)[1] %}
    {% for macro in macros.values() if modules.re.search('dispatch\\(\\s*[\'"]' ~ dispatched ~ '[\'"]\\s*\\)', macro.macro.macro_sql) %}
      {% do return('its package dispatches ' ~ dispatched ~ ' without a namespace, and both the package and the root project implement it') %}
    {% endfor %}
  {% endfor %}
  {% do return(none) %}
{% endmacro %}


{# Refuse steps that keep a history (incremental models, snapshots), whose past is lost, where an existing snapshot or incremental model of this very
   command reads them, directly or through views: built from the data of today, they would make it take the past for deleted. #}
{% macro _mark_lost_history(steps, selected) %}
  {% set lost, nodes = {}, dbt_selfheal._manifest().nodes %}
  {% for entry in steps if entry.node.config.materialized in ('incremental', 'snapshot') and not entry.clone %}{% do lost.update({entry.unique_id: entry}) %}{% endfor %}
  {% set refused = lost and dbt_selfheal._settings().on_lost_history != 'build' %}
  {% for id in selected if refused and id in nodes and (nodes[id].config.materialized == 'snapshot' or nodes[id].config.materialized == 'incremental' and not flags.FULL_REFRESH)
      and not dbt_selfheal._absent([{'node': nodes[id], 'is_function': false}]) %}
    {% set seen, front = {}, (nodes[id].depends_on.nodes or []) | list %}
    {% for round in range(999) if front %}
      {% set above = front | reject('in', seen) | select('in', nodes) | list %}
      {% do front.clear() %}
      {% for parent in above %}
        {% do seen.update({parent: 1}) %}
        {% if parent in lost %}
          {% do lost[parent].update({'is_lost': true, 'refusal': 'its history is lost; built from the data of today, it would make the ' ~ nodes[id].config.materialized ~ ' ' ~ nodes[id].name ~ ', which is there and reads it, '
            ~ ('close the rows of the past' if nodes[id].config.materialized == 'snapshot' else 'take that for all') ~ '. To allow it: vars.dbt_selfheal.on_lost_history: build'}) %}
        {% elif nodes[parent].config.materialized in ('view', 'ephemeral') %}
          {% do front.extend(nodes[parent].depends_on.nodes or []) %}
        {% endif %}
      {% endfor %}
    {% endfor %}
  {% endfor %}
{% endmacro %}


{# Raise when steps of the plan could not be built in a hook, after the others were built; names each, and the command that builds them.
   held_up: the entries that are refused, and those that need them; built: how many were built. #}
{% macro _raise_refusals(plan, held_up, built) %}
  {% set lines = [held_up | length ~ ' of ' ~ plan.missing | length ~ ' missing relations cannot be built from a hook:'] %}
  {% set refused = held_up | selectattr('refusal') | list %}
  {% for entry in refused[:10] %}
    {% do lines.append('  ' ~ (entry.node.config.materialized ~ ' ' if entry.node.resource_type == 'model' else '') ~ entry.node.resource_type ~ ' ' ~ entry.node.name ~ ' (' ~ entry.node.original_file_path ~ '): ' ~ entry.refusal) %}
  {% endfor %}
  {% if refused | length > 10 %}{% do lines.append('  and ' ~ (refused | length - 10) ~ ' more, which `dbt run-operation initialization_plan` names') %}{% endif %}
  {% if held_up | length > refused | length %}{% set others = held_up | length - refused | length %}{% do lines.append('The other ' ~ others ~ (' needs ' if others == 1 else ' need ') ~ ('it.' if refused | length == 1 else 'them.')) %}{% endif %}
  {% set lost = refused | selectattr('is_lost', 'defined') | first is defined %}  {# to build it is what the refusal is about #}
  {% set early = [] %}  {# what a hook reads, or a unit test: no command that runs the hook, too, can build it first #}
  {% for entry in held_up if entry.unique_id in plan.early and dbt_version < '2' and refused | rejectattr('selected') | first is not defined %}{% do early.append(entry.node.name) %}{% endfor %}
  {% if early and held_up | length <= 12 %}{% set early = held_up | map(attribute='node.name') | unique | list %}{% endif %}
  {% do lines.append((built ~ ' were built and stay. ' if built else 'Nothing was built. ' if dbt_version < '2' else '') ~ ('Restore what keeps a history (from a backup, or by `dbt clone`), or allow it; then run this command again.'
    if lost else 'Build what is read before this command begins, then run it again:' if early else 'Build what is missing with dbt itself, then run this command again:')) %}
  {% set command = "dbt run-operation ensure_initialized --args '{select: [" ~ early | join(', ') ~ "]}'" if early else dbt_selfheal._build_command(plan, plan.steps if dbt_version >= '2' else held_up) %}
  {% do dbt_selfheal._raise((lines + ([] if lost else ['  ' ~ command])) | join('\n')) %}
{% endmacro %}


{# The shortest dbt command that builds entries of a plan: by their names as long as those are few; all, where nothing is there; else the
   last of them with what is above. On dbt v2, whose hook builds nothing, the one that builds just them: by their unique ids, which are exact there,
   without their tests, for the target and the variables of this command, in quotes for a shell. #}
{% macro _build_command(plan, entries) %}
  {% if dbt_version >= '2' %}
    {% set words, given = ['dbt', 'build', '--exclude-resource-type', 'test', 'unit_test'], invocation_args_dict %}
    {% for option, value in {'--project-dir': given.project_dir, '--profiles-dir': given.profiles_dir, '--profile': given.profile, '--vars': tojson(given.vars) if given.vars,
        '--target': target.name if modules.re.search(' (?:-t|--target)[ =]', given.invocation_command) or env_var('DBT_TARGET', '') else none}.items() if value %}
      {% do words.extend([option, value]) %}
    {% endfor %}
    {% set quoted = [] %}
    {% for word in words + ['--select'] + entries | map(attribute='unique_id') | list %}
      {% do quoted.append(word if modules.re.fullmatch('[A-Za-z0-9_./:-]+', word) else "'" ~ word.replace("'", "'\\''") ~ "'") %}
    {% endfor %}
    {% do return(quoted | join(' ')) %}
  {% endif %}
  {% set names, inner = [], {} %}
  {% for entry in plan.order if entries | length > 12 %}{% do inner.update(dict.fromkeys(entry.parents)) %}{% endfor %}
  {% for entry in entries if entries | length <= 12 or entry.unique_id not in inner %}
    {% do names.append(('+' if entries | length > 12 else '') ~ entry.node.name ~ ('.v' ~ entry.node.version if entry.node.version is defined and entry.node.version is not none else '')) %}
  {% endfor %}
  {% if entries | length > 12 and plan.visited.values() | selectattr('type') | first is not defined %}{% do return('dbt build') %}{% endif %}
  {% do return('dbt build --select ' ~ names | join(' ')) %}
{% endmacro %}


{# Take out of the steps what cannot be built and may not be needed either, and what depends on it, with a warning: dbt's own error
   follows if it was needed. #}
{% macro _leave_out(plan) %}
  {% set left, names = {}, {} %}
  {% for entry in plan.steps if not entry.certain %}
    {% set lost = [] %}
    {% for id in entry.node.depends_on.nodes or [] if not entry.clone %}
      {% if id in left or (id.startswith('source.') and id not in plan.visited and not dbt_selfheal._source_exists(dbt_selfheal._manifest().sources[id], names)) %}{% do lost.append(id.split('.')[2:] | join('.')) %}{% endif %}
    {% endfor %}
    {% if entry.refusal or lost %}
      {% do left.update({entry.unique_id: 1}) %}
      {% do exceptions.warn('dbt_selfheal: ' ~ entry.node.name ~ ' (' ~ entry.node.original_file_path ~ ') is missing, and is not built: '
        ~ (entry.refusal or 'there is no ' ~ lost | join(', ')) ~ '.\nIt may not be needed (' ~ entry.reason ~ '), so the command goes on.' ~ (' If it is: ' ~ ('dbt build --select ' ~ entry.node.name if dbt_version >= '2' or not plan.early else "dbt run-operation ensure_initialized --args '{select: [" ~ entry.node.name ~ "]}'") ~ ', then this command.' if entry.selected else '')) %}
    {% endif %}
  {% endfor %}
  {% if left %}{% do plan.update({'steps': plan.steps | rejectattr('unique_id', 'in', left) | list}) %}{% endif %}
{% endmacro %}


{# Raise when a selected node, by being made anew, would take with it an existing view that another selected node reads later on:
   dbt would fail in the middle. Only where views go with what they read. selected: dict keyed by selected unique ids; names: see _survey. #}
{% macro _raise_cascades(selected, names) %}
  {% set nodes, exact, seen, queue = dbt_selfheal._manifest().nodes, dbt_selfheal._traits().exact, {}, [] %}
  {% set anew = ['table', 'view'] + (['incremental', 'seed'] if flags.FULL_REFRESH else []) %}
  {% for id in selected if id in nodes %}
    {% for parent in nodes[id].depends_on.nodes or [] if parent not in selected and parent in nodes %}{% do queue.append((parent, [nodes[id].name])) %}{% endfor %}
  {% endfor %}
  {% for round in range(999) if queue %}
    {% set front = queue | list %}
    {% do queue.clear() %}
    {% for id, path in front if (id, path[0]) not in seen %}
      {% do seen.update({(id, path[0]): 1}) %}
      {% set node, place = nodes[id], nodes[id].database ~ '.' ~ nodes[id].schema %}
      {% if place not in names %}{% do names.update({place: dbt_selfheal._names_in_schema(node, not exact)}) %}{% endif %}
      {% set type = names[place].get(node.alias if exact else node.alias | lower) %}
      {% if id in selected and type in ('table', 'view') and (node.config.materialized or node.resource_type) in anew %}
        {% set chain = [node.name] + path %}
        {% do dbt_selfheal._leave_for_retry() %}
        {% do dbt_selfheal._raise('dbt ' ~ flags.WHICH ~ ' would fail: to make ' ~ node.name ~ ' (' ~ node.original_file_path ~ ') anew takes with it the view ' ~ chain[1]
          ~ ', which ' ~ chain | last ~ ' reads' ~ (' through ' ~ chain[2:-1] | join(', ') if chain[2:-1] else '') ~ ': ' ~ chain | join(' -> ')
          ~ '.\nSelect what lies between too: dbt ' ~ flags.WHICH ~ ' --select ' ~ chain | join(' ') ~ '\nNothing was built.') %}
      {% elif id not in selected and (type == 'view' or node.config.materialized == 'ephemeral') %}
        {% for parent in node.depends_on.nodes or [] if parent in nodes %}{% do queue.append((parent, [node.name] + path if type == 'view' else path)) %}{% endfor %}
      {% endif %}
    {% endfor %}
  {% endfor %}
{% endmacro %}
