{#
  What the project declares required. The reason of each is what people are shown.
#}


{# The relations the project declares required. entries: the list of the setting `required` (or an operation's
   `select`): node names, package.name, and dbt's methods tag: path: file: fqn: package: resource_type: group: config.KEY:, with * and ?. Returns {unique_id: reason}; an entry that matches nothing
   is an error that names the origin of the entries. #}
{% macro _declared(entries, origin='vars.dbt_selfheal.required') %}
  {% set declared, wanted, unmatched, paths, configs, patterns, own, methods = {}, dict.fromkeys(entries), dict.fromkeys(entries), [], [], {}, project_name, ':' in entries | join %}
  {% for entry in entries %}
    {% if entry.startswith('path:') %}{% do paths.append(entry) %}{% elif entry.startswith('config.') and ':' in entry %}{% do configs.append(entry.split(':')[0][7:]) %}{% endif %}
    {% if '*' in entry or '?' in entry %}{% do patterns.update({entry: modules.re.compile(modules.re.escape(entry).replace('\\*', '.*').replace('\\?', '.'))}) %}{% endif %}
  {% endfor %}
  {% for unique_id, node in dbt_selfheal._manifest().nodes.items() if entries and node.resource_type in ('model', 'seed', 'snapshot') %}
    {% set keys = [node.name, node.package_name ~ '.' ~ node.name] %}
    {% if methods %}
      {% do keys.extend(['package:' ~ node.package_name, 'resource_type:' ~ node.resource_type, 'file:' ~ node.original_file_path.split('/') | last, 'group:' ~ node.config.group]
                        + (['package:this'] if node.package_name == own else [])) %}
      {% for part in node.fqn %}{% do keys.append('fqn:' ~ node.fqn[:loop.index] | join('.')) %}{% endfor %}
      {% for tag in node.tags %}{% do keys.append('tag:' ~ tag) %}{% endfor %}
    {% endif %}
    {% for key in configs %}{% do keys.append('config.' ~ key ~ ':' ~ (node.config.get(key) | string | lower if node.config.get(key) is boolean else node.config.get(key))) %}{% endfor %}
    {% for path in paths if (node.original_file_path ~ '/').startswith(path[5:].rstrip('/') ~ '/') %}{% do keys.append(path) %}{% endfor %}
    {% set matched = keys | select('in', wanted) | list %}
    {% for entry, pattern in patterns.items() %}{% for key in keys if pattern.fullmatch(key) %}{% do matched.append(entry) %}{% endfor %}{% endfor %}
    {% for entry in matched %}
      {% do declared.setdefault(unique_id, 'declared required' ~ (' (' ~ entry ~ ')' if ':' in entry or entry in patterns else '')) %}
      {% do unmatched.pop(entry, none) %}
    {% endfor %}
  {% endfor %}
  {% for entry in unmatched %}
    {% set lines, named = [], origin ~ ' names "' ~ entry ~ '", and ' %}
    {% if ':' in entry %}
      {% do lines.append(named ~ 'no enabled seed, snapshot or model matches it.') %}
    {% else %}
      {% set disabled = (dbt_selfheal._manifest().disabled or {}).values() | sum(start=[]) | selectattr('name', 'equalto', entry.split('.') | last) | list %}
      {% if disabled %}
        {% do lines.append(named ~ 'that ' ~ disabled[0].resource_type ~ ' is disabled ('
          ~ disabled[0].original_file_path ~ ').') %}
        {% do lines.append('Enable it there or in dbt_project.yml (enabled: true), or take it off the list.') %}
        {% do dbt_selfheal._raise(lines | join('\n')) %}
      {% endif %}
      {% set nodes = dbt_selfheal._manifest().nodes.values() | selectattr('resource_type', 'in', ['model', 'seed', 'snapshot']) %}
      {% set near = dbt_selfheal._nearest(entry, nodes | map(attribute='name') | unique | list) %}
      {% do lines.append(named ~ 'no enabled node has that name.') %}
      {% if near %}{% do lines.append('Did you mean: ' ~ near | join(', ') ~ '?') %}{% endif %}
    {% endif %}
    {% do lines.append(('Fix it in dbt_project.yml' if origin.startswith('vars.') else 'Correct it') ~ ', or run `dbt ls --resource-type seed snapshot model` to see the names.') %}
    {% do dbt_selfheal._raise(lines | join('\n')) %}
  {% endfor %}
  {% do return(declared) %}
{% endmacro %}
