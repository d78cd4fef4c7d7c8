{#
  The warm path: is it certain, from dbt's own relation cache alone, that nothing is missing?
#}

{# Whether every relation that the command reads or the project declares is there, through ephemeral models and existing
   views. false means "look closely": the plan decides. entries: the setting `required`. #}
{% macro _is_satisfied(entries) %}
  {% set manifest, selected, seen, aliases = builtins.ref.manifest, dbt_selfheal._selected(), {}, {} %}
  {% set nodes = manifest.nodes %}
  {% if (nodes | join).count('-on-run-start-') > 1 and dbt_selfheal._may_have_changed() %}{% do return(false) %}{% endif %}
  {% set queue = selected | list + (dbt_selfheal._declared(entries) | list if entries else []) %}
  {% for id in queue if id not in seen %}
    {% do seen.update({id: 1}) %}
    {% set node = nodes.get(id) %}
    {% if node %}
      {% set kind = node.config.materialized %}
      {% set relation = id in selected or kind == 'ephemeral' or adapter.get_relation(node.database, node.schema, node.alias) %}
      {% if not relation or kind == 'external' and id not in selected %}
        {% do return(false) %}
      {% elif relation is true or relation.is_view %}
        {% set parents = node.depends_on_nodes %}
        {% if relation is not true and parents | select('in', selected) | list and dbt_selfheal._traits().bound_views %}{% do return(false) %}{% endif %}
        {% do queue.extend(parents) %}
      {% endif %}
    {% elif id in manifest.sources %}
      {% do aliases or aliases.update(dict.fromkeys(nodes.values() | map(attribute='alias') | map('lower'))) %}
      {% if manifest.sources[id].identifier | lower in aliases %}{% do return(false) %}{% endif %}
    {% elif id.startswith('unit_test.') %}
      {% do queue.extend(nodes[manifest.unit_tests[id].depends_on.nodes[0]].depends_on_nodes) %}
    {% elif id.startswith('function.') %}{% do return(false) %}{% endif %}
  {% endfor %}
  {% do return(true) %}
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
