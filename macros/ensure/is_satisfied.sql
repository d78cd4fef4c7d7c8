{#
  The warm path: is it certain, from dbt's own relation cache alone, that nothing is missing?
#}

{# Whether every relation that the command reads or the project declares is there, through ephemeral models and existing
   views. false means "look closely": the plan decides, also when the command would fill a seed anew that holds initial
   data. entries: the setting `required`. #}
{% macro _is_satisfied(entries) %}
  {% set manifest, selected, seen, aliases = builtins.ref.manifest, dbt_selfheal._selected(), {}, {} %}
  {% set queue = selected | list + (dbt_selfheal._declared(entries) | list if entries else []) %}
  {% for id in queue if id not in seen %}
    {% do seen.update({id: 1}) %}
    {% set node = manifest.nodes.get(id) %}
    {% if node %}
      {% set through = id in selected or node.config.materialized == 'ephemeral' %}
      {% set relation = through or adapter.get_relation(node.database, node.schema, node.alias) %}
      {% if not relation or (id in selected and node.config.meta.selfheal) %}{% do return(false) %}{% endif %}
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


{# The unique ids of the nodes that the command builds, as the keys of a dict. `dbt retry` selects by what has failed, and
   leaves selected_resources empty; otherwise no hook runs with nothing selected. #}
{% macro _selected() %}
  {% do return(dict.fromkeys(selected_resources if selected_resources or flags.WHICH == 'run-operation' else dbt_selfheal._retried())) %}
{% endmacro %}


{# What `dbt retry` runs: the nodes that did not succeed in the run before, whose results are still in the target folder. #}
{% macro _retried() %}
  {% set folder = '' ~ (adapter.config.args.state or adapter.config.target_path) %}
  {% if not folder.startswith('/') %}{% set folder = adapter.config.project_root ~ '/' ~ folder %}{% endif %}
  {% set retried = [] %}
  {% for result in run_query('select 1 as x').from_json(folder ~ '/run_results.json', key='results').rows %}
    {% if result['status'] in ('error', 'fail', 'skipped', 'runtime error', 'partial success') %}{% do retried.append(result['unique_id']) %}{% endif %}
  {% endfor %}
  {% do return(retried) %}
{% endmacro %}
