{#
  The warm path: is it certain, from dbt's own relation cache alone, that nothing is missing?
#}

{# Whether every relation that the command reads or the project declares is there, through ephemeral models and existing
   views. false means "look closely": the plan decides. entries: the setting `required`. #}
{% macro _is_satisfied(entries=[]) %}
  {% set nodes, selected, seen = builtins.ref.manifest.nodes, dict.fromkeys(selected_resources) or dbt_selfheal._selected(), {} %}
  {% if (nodes | join).count('-on-run-start-') > 1 and dbt_selfheal._may_have_changed() %}{% do return(false) %}{% endif %}
  {% set queue = selected | list + (dbt_selfheal._declared(entries) | list if entries else []) %}
  {% for id in queue if id not in seen %}
    {% do seen.update({id: 1}) %}
    {% set node = nodes.get(id) %}
    {% set relation = node and (id in selected or node.config.materialized == 'ephemeral' or adapter.get_relation(node.database, node.schema, node.alias)) %}
    {% if relation is true or (relation.is_view or not node) and dbt_selfheal._passes(id, selected, queue) %}
      {% do queue.extend(node.depends_on_nodes or []) %}
    {% elif not relation or relation.is_view %}
      {% do return(false) %}
    {% endif %}
  {% endfor %}
  {% do return(true) %}
{% endmacro %}


{# Whether the search may pass what is no table: an existing view, unless its data is a file or it goes with what the command makes anew; a source,
   unless a node of the project makes it; a unit test, whose inputs join the queue. Functions are looked at closely. #}
{% macro _passes(id, selected, queue) %}
  {% set manifest = builtins.ref.manifest %}
  {% set node = manifest.nodes.get(id) %}
  {% if node %}
    {% do return(node.config.materialized != 'external' and not (dbt_selfheal._traits().bound_views and node.depends_on_nodes | select('in', selected) | list)) %}
  {% elif id in manifest.sources %}
    {% do return(manifest.sources[id].identifier | lower not in manifest.nodes.values() | map(attribute='alias') | map('lower')) %}
  {% elif id.startswith('unit_test.') %}
    {% do queue.extend(manifest.nodes[manifest.unit_tests[id].depends_on.nodes[0]].depends_on_nodes) %}
  {% endif %}
  {% do return(not id.startswith('function.')) %}
{% endmacro %}


{# Whether a hook that ran before this one may have made or dropped relations that dbt's cache does not know of: the project's own run
   first, then those of packages by the packages' names. #}
{% macro _may_have_changed() %}
  {% set project, own = adapter.config.project_name, model.unique_id %}
  {% set hooks = modules.re.findall('operation[.]\\w+[.]\\w+-on-run-start-[0-9]+', builtins.ref.manifest.nodes | join(' ')) %}
  {% set places = {} %}
  {% for id in hooks + [own] %}
    {% set package = id.split('.')[1] %}
    {% do places.update({id: ('' if package == project else package, id.split('-') | last | int)}) %}
  {% endfor %}
  {% for id in hooks if places[id] < places[own] %}
    {% if modules.re.search('(?i)[{]|\\b(?:create|drop|alter|attach|detach|use|import|restore|undrop|call|execute|exec|do)\\b', builtins.ref.manifest.nodes[id].raw_code) %}
      {% do return(true) %}
    {% endif %}
  {% endfor %}
  {% do return(false) %}
{% endmacro %}
