{#
  The warm path: is it certain, from dbt's own relation cache alone, that nothing is missing?
#}

{# Whether every relation that the command reads or the project declares is there, through ephemeral models and existing
   views. false means "look closely": the plan decides. entries: the setting `required`. #}
{% macro _is_satisfied(entries) %}
  {% set manifest, selected, seen, aliases = builtins.ref.manifest, dict.fromkeys(selected_resources), {}, {} %}
  {% set queue = selected | list + (dbt_selfheal._declared(entries) | list if entries else []) %}
  {% for id in queue if id not in seen %}
    {% do seen.update({id: 1}) %}
    {% set node = manifest.nodes.get(id) %}
    {% if node %}
      {% set through = id in selected or node.config.materialized == 'ephemeral' %}
      {% set relation = through or adapter.get_relation(node.database, node.schema, node.alias) %}
      {% if not relation %}{% do return(false) %}{% endif %}
      {% if through or relation.is_view %}{% do queue.extend(node.depends_on_nodes) %}{% endif %}
    {% elif id in manifest.sources %}
      {% do aliases or aliases.update(dict.fromkeys(manifest.nodes.values() | map(attribute='alias') | map('lower'))) %}
      {% if manifest.sources[id].identifier | lower in aliases %}{% do return(false) %}{% endif %}
    {% elif id.startswith('unit_test.') %}
      {% do queue.extend(manifest.nodes[manifest.unit_tests[id].depends_on.nodes[0]].depends_on_nodes) %}
    {% elif id.startswith('function.') %}
      {% do return(false) %}
    {% endif %}
  {% endfor %}
  {% do return(true) %}
{% endmacro %}
