{#
  What the project declares required. The reason of each is what people are shown.
#}


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
  {% for entry in unmatched %}
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
  {% endfor %}
  {% do return(declared) %}
{% endmacro %}
