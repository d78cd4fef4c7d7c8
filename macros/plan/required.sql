{#
  What is required (DESIGN 4): the relations that the running command reads but does not itself build, and those
  that the project declares. A requirement is an entry {unique_id: reason}; the reason is what people are shown.
#}

{# The relations the command reads: parents of the selected nodes that are not selected themselves.
   selected: dict whose keys are the unique ids of the selected nodes. Returns {unique_id: reason}. #}
{% macro _read_by_command(selected) %}
  {% set manifest = builtins.ref.manifest %}
  {% set reads = {} %}
  {% for unique_id in selected %}
    {% set node = manifest.nodes.get(unique_id) %}
    {% if node is none %}
      {% set node = dbt_selfheal._other_reader(unique_id) %}
    {% endif %}
    {% if node is not none %}
      {% for parent in node.depends_on_nodes if parent not in selected and parent not in reads %}
        {% do reads.update({parent: 'read by ' ~ node.name}) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {% do return(reads) %}
{% endmacro %}


{# The node whose parents a selected thing that is no plain node reads: for a unit test the model that it tests
   (its inputs are that model's parents), for a function the function; none for all else. #}
{% macro _other_reader(unique_id) %}
  {% set manifest = builtins.ref.manifest %}
  {% if unique_id.startswith('unit_test.') %}
    {% do return(manifest.nodes.get(manifest.unit_tests[unique_id].depends_on.nodes | first)) %}
  {% elif unique_id.startswith('function.') %}
    {% do return(manifest.functions.get(unique_id)) %}
  {% endif %}
  {% do return(none) %}
{% endmacro %}


{# The relations the project declares required. entries: the list of the setting `required` (or an operation's
   `select`): node names, package.name, tag:x, path:x. Returns {unique_id: reason}; an entry that matches nothing
   is an error that names the origin of the entries. #}
{% macro _declared(entries, origin='vars.dbt_selfheal.required') %}
  {% set declared, wanted, unmatched, paths = {}, dict.fromkeys(entries), dict.fromkeys(entries), [] %}
  {% for entry in entries if entry.startswith('path:') %}{% do paths.append(entry) %}{% endfor %}
  {% for unique_id, node in builtins.ref.manifest.nodes.items() if entries and node.resource_type in ('model', 'seed', 'snapshot') %}
    {% set keys = [node.name, node.package_name ~ '.' ~ node.name] %}
    {% for tag in node.tags %}{% do keys.append('tag:' ~ tag) %}{% endfor %}
    {% for path in paths if (node.original_file_path ~ '/').startswith(path[5:].rstrip('/') ~ '/') %}{% do keys.append(path) %}{% endfor %}
    {% for key in keys if key in wanted %}
      {% do declared.setdefault(unique_id, 'declared required' ~ (' (' ~ key ~ ')' if ':' in key else '')) %}
      {% do unmatched.pop(key, none) %}
    {% endfor %}
  {% endfor %}
  {% for entry in unmatched %}{% do dbt_selfheal._raise_unmatched(entry, origin) %}{% endfor %}
  {% do return(declared) %}
{% endmacro %}


{# Every enabled seed, snapshot and model, but for this package's own views: what an operation requires when nothing is
   declared. #}
{% macro _everything() %}
  {% set all = {} %}
  {% for unique_id, node in builtins.ref.manifest.nodes.items() if node.resource_type in ('model', 'seed', 'snapshot') and 'selfheal_history' not in node.tags %}
    {% do all.update({unique_id: 'every enabled node is required, as none is declared'}) %}
  {% endfor %}
  {% do return(all) %}
{% endmacro %}


{# Raise for an entry that no enabled node matches. origin: the setting or the argument that has it. #}
{% macro _raise_unmatched(entry, origin) %}
  {% set lines, named = [], origin ~ ' names "' ~ entry ~ '", and ' %}
  {% if ':' in entry %}
    {% do lines.append(named ~ 'no enabled seed, snapshot or model matches it.') %}
  {% else %}
    {% set disabled = builtins.ref.manifest.disabled.values() | sum(start=[]) | selectattr('name', 'equalto', entry.split('.') | last) | list %}
    {% if disabled %}
      {% do lines.append(named ~ 'that ' ~ disabled[0].resource_type ~ ' is disabled ('
        ~ disabled[0].original_file_path ~ ').') %}
      {% do lines.append('Enable it there or in dbt_project.yml (enabled: true), or take it off the list.') %}
      {% do dbt_selfheal._raise(lines | join('\n')) %}
    {% endif %}
    {% set nodes = builtins.ref.manifest.nodes.values() | selectattr('resource_type', 'in', ['model', 'seed', 'snapshot']) %}
    {% set near = dbt_selfheal._nearest(entry, nodes | map(attribute='name') | unique | list) %}
    {% do lines.append(named ~ 'no enabled node has that name.') %}
    {% if near %}{% do lines.append('Did you mean: ' ~ near | join(', ') ~ '?') %}{% endif %}
  {% endif %}
  {% do lines.append(('Fix it in dbt_project.yml' if origin.startswith('vars.') else 'Correct it') ~ ', or run `dbt ls --resource-type seed snapshot model` to see the names.') %}
  {% do dbt_selfheal._raise(lines | join('\n')) %}
{% endmacro %}
