{#
  The warm path: is it certain, from dbt's own relation cache alone, that nothing is missing?
#}

{# Whether every relation that the command reads or the project declares is there, through ephemeral models and existing
   views. (A selected ephemeral model is not run by itself.) false means "look closely": the plan decides. Dbt compares each look-up with every relation that it has
   cached: after 150,000 such comparisons, about a second, the plan is quicker, which asks the database once for each schema. required: list of unique ids that the project declares. #}
{% macro _is_satisfied(required=[]) %}
  {% set nodes, selected, seen, by_alias = builtins.ref.manifest.nodes, dict.fromkeys(selected_resources) or dbt_selfheal._selected(), {}, {} %}
  {% set queue = selected | list + required %}
  {% if (nodes | join).count('-on-run-') > 1 and dbt_selfheal._hooks(selected, queue).doubt %}{% do return(false) %}{% endif %}
  {% for id in queue if id not in seen %}
    {% set node = nodes.get(id) %}
    {% set through = node and node.config.materialized == 'ephemeral' %}
    {% if not through or loop.index > selected | length %}
    {% do seen.update({id: 1}) %}
    {% set relation = node and (through or id in selected or adapter.get_relation(node.database, node.schema, node.alias)) %}
    {% if (seen | length - selected | length) * nodes | length > 150000 %}
      {% do return(false) %}
    {% elif relation is true or (relation.is_view or not node) and dbt_selfheal._passes(id, selected, queue, by_alias) %}
      {% do queue.extend(node.depends_on_nodes or []) %}
    {% elif not relation or relation.is_view %}
      {% do return(false) %}
    {% endif %}
    {% endif %}
  {% endfor %}
  {% do return(true) %}
{% endmacro %}


{# Whether the search may pass what is no table: an existing view, unless its data is a file or it goes with what the command makes anew; a source,
   unless a node of the project makes it that is missing; a unit test, whose inputs join the queue. Functions are looked at closely. by_alias: see _maker_of. #}
{% macro _passes(id, selected, queue, by_alias) %}
  {% set manifest = dbt_selfheal._manifest() %}
  {% set node = manifest.nodes.get(id) %}
  {% if node %}
    {% do return(node.config.materialized != 'external' and not (dbt_selfheal._traits().bound_views and node.depends_on.nodes | select('in', selected) | list)) %}
  {% elif id in manifest.sources %}
    {% set maker = manifest.nodes.get(dbt_selfheal._maker_of(id, by_alias)) %}
    {% if maker %}
      {% if not adapter.get_relation(maker.database, maker.schema, maker.alias) %}{% do return(false) %}{% endif %}
      {% do queue.append(maker.unique_id) %}
    {% endif %}
  {% elif id.startswith('unit_test.') %}
    {% set tested = manifest.unit_tests[id].depends_on.nodes[0] %}
    {% if 'this' in manifest.unit_tests[id].given | map(attribute='input') %}
      {% if tested in selected %}{% do return(false) %}{% endif %}
      {% do queue.append(tested) %}
    {% endif %}
    {% do queue.extend(manifest.nodes[tested].depends_on.nodes) %}
  {% endif %}
  {% do return(not id.startswith('function.')) %}
{% endmacro %}


{# What the other hooks of the command mean for healing: {'read': {unique_id: (the hook's unique id, whether it is on-run-start)}, what those
   after this one read; 'doubt': whether one before may have made or dropped relations that dbt's cache does not know of, or one after reads,
   before the command's nodes, what the command itself makes}.
   What is read joins the queue, a list. dbt runs the project's own hooks first, then those of packages by the packages' names. #}
{% macro _hooks(selected, queue=[]) %}
  {% set nodes, places, found = dbt_selfheal._manifest().nodes, {}, {'read': {}, 'doubt': false} %}
  {% for id in modules.re.findall('operation[.]\\w+[.]\\w+-on-run-(?:start|end)-[0-9]+', nodes | join(' ')) + [model.unique_id] %}
    {% set package = id.split('.')[1] %}
    {% do places.update({id: ('' if package == project_name else package, id.split('-') | last | int)}) %}
  {% endfor %}
  {% for id, place in places.items() if id != model.unique_id %}
    {% set starts = '-on-run-start-' in id %}
    {% if not starts or place > places[model.unique_id] %}
      {% for parent in nodes[id].depends_on.nodes %}
        {% if starts or parent not in found.read %}{% do found.read.update({parent: (id, starts)}) %}{% endif %}
        {% if starts and parent in selected and not adapter.get_relation(nodes[parent].database, nodes[parent].schema, nodes[parent].alias) %}{% do found.update({'doubt': true}) %}{% endif %}
      {% endfor %}
    {% elif modules.re.search('(?i)[{]|\\b(?:create|drop|alter|attach|detach|use|import|restore|undrop|call|execute|exec|do)\\b', nodes[id].raw_code) %}
      {% do found.update({'doubt': true}) %}
    {% endif %}
  {% endfor %}
  {% do queue.extend(found.read) %}
  {% do return(found) %}
{% endmacro %}
