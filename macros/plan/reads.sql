{#
  What a node really reads. Its `depends_on` also names what it does not read: a ref for the order only (`-- depends_on:`), an
  optional one behind a macro, a relation that the project's own `ref` sends elsewhere. Only what is needed may stop a command.
#}


{# Of the parents of a node, those that it does not read (`unread`) and those of which it is not known (`unknown`): {unique_id: either}.
   Its compiled SQL decides where nothing that runs while it is compiled can ask the database or raise an
   error of its own: neither its code nor the macros that it calls, dbt's too (but for is_incremental, which asks dbt's cache). Else what its code says decides: what a
   selected node looks up before it reads it is optional, and its absence is the command's own business. dbt v2 can compile no other node in a hook, and
   knows no macros there: what the code says decides. reader: a unique id; selected: dict keyed by selected unique ids. #}
{% macro _edges(reader, selected={}) %}
  {% set manifest, edges = dbt_selfheal._manifest(), {} %}
  {% set node = manifest.nodes[reader] %}
  {% if node.language == 'python' or node.resource_type not in ('model', 'snapshot') %}{% do return({}) %}{% endif %}
  {% set asks = '\\b(?:run_query|statement|load_\\w+|get_\\w+)\\s*[(]|\\b(?:adapter|exceptions|graph|dbt_utils|builtins|context)\\b' %}
  {% set project = 'macro.' ~ project_name %}
  {% set macros = dbt_selfheal._macros_of(node) | reject('in', [project ~ '.ref', project ~ '.source', 'macro.dbt.is_incremental']) | list %}
  {% set called = (node.raw_code or '') ~ dbt_selfheal._code_of_macros(macros) %}
  {% set code, plain = node.raw_code or '', dbt_version < '2' and not modules.re.search(asks, called ~ dbt_selfheal._code_of_macros(macros, []).replace('adapter.dispatch', '')) %}
  {% if plain %}
    {% set base = dbt_selfheal._base_context() %}
    {% do dbt_selfheal._enter_context(node, base) %}
    {% set code = render(dbt_selfheal._rewritten_code(node.raw_code)) %}
    {% do dbt_selfheal._restore_context(base) %}
  {% endif %}
  {% set looks_up = not plain and reader in selected and modules.re.search('\\b(?:load_relation|load_cached_relation|get_relation)\\s*[(]', called) %}
  {# what its configuration, hooks and foreign keys read is not in its SQL #}
  {% set plain = plain and 'ref(' not in node.config.to_dict() | string and 'foreign_key' not in node.constraints | string ~ node.columns | string %}
  {% set code = modules.re.sub("('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`)|--[^\n]*|/[*](?:[^*]|[*](?!/))*[*]/|[{]#(?:[^#]|#(?![}]))*#[}]", '\\1', code) %}
  {% for parent in node.depends_on.nodes or [] %}
    {% set read = manifest.nodes.get(parent) or manifest.sources.get(parent) %}
    {% set name = (read.identifier or read.alias or '') if read else '' %}
    {% set prefix = '__dbt__cte__' if read and read.config.materialized == 'ephemeral' else '' %}
    {% if plain and read and modules.re.fullmatch('\\w+', name) %}
      {% set part, schemas = '"([^"]*)"|`([^`]*)`|\\[([^\\]]*)\\]|([\\w$-]+)', [] %}
      {% for place in modules.re.findall('(?i)((?:(?:' ~ part.replace('(', '(?:') ~ ')\\s*[.]\\s*)*)["`\\[]?\\b' ~ prefix ~ name ~ '\\b', code) %}
        {% do schemas.append(modules.re.findall(part, place)[-1:] | map('join') | join | lower) %}
      {% endfor %}
      {% if read.schema | lower not in schemas and (read.defer_relation.schema if read.defer_relation else read.schema) | lower not in schemas and not (prefix and schemas) %}{% do edges.update({parent: 'unknown' if '' in schemas and read.resource_type != 'source' else 'unread'}) %}{% endif %}
    {% elif not plain %}
      {% set named = modules.re.search('(?:ref|source)\\s*[(](?:\\s*[\'"][^\'"]*[\'"]\\s*,)?\\s*[\'"]' ~ modules.re.escape(read.name if read else '') ~ '[\'"]', code) %}
      {% if looks_up %}
        {% do edges.update({parent: 'unread'}) %}
      {% elif not named or modules.re.search('[{]%-?\\s*if\\b', code) %}
        {% do edges.update({parent: 'unknown'}) %}
      {% endif %}
    {% endif %}
  {% endfor %}
  {% do return(edges) %}
{% endmacro %}


{# The unique ids of the macros that a node's code calls, also under `if execute`, which dbt does not note in depends_on. #}
{% macro _macros_of(node) %}
  {% set ids, macros, places = node.depends_on.macros | list, dbt_selfheal._manifest().macros or {}, [node.package_name, project_name, 'dbt', 'dbt_' ~ adapter.type()] %}
  {% for package, name in modules.re.findall('(?:(\\w+)[.])?\\b(\\w+)\\s*[(]', node.raw_code or '') %}
    {% for place in ([package] if package else places) %}
      {% set id = 'macro.' ~ place ~ '.' ~ name %}
      {% if id in macros and id not in ids %}{% do ids.append(id) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {% do return(ids) %}
{% endmacro %}


{# The code of macros and of those that they call, as one text. ids: list of unique ids; without: names of packages whose macros are left
   out, by default dbt's own and the adapter's. #}
{% macro _code_of_macros(ids, without=none) %}
  {% set macros, queue, seen, without = dbt_selfheal._manifest().macros or {}, ids | list, {}, ['dbt', 'dbt_' ~ adapter.type()] if without is none else without %}
  {% for id in queue if id not in seen and id in macros and macros[id].package_name not in without %}
    {% do seen.update({id: macros[id].macro_sql}) %}
    {% do queue.extend(macros[id].depends_on.macros) %}
  {% endfor %}
  {% do return(seen.values() | join('\n')) %}
{% endmacro %}
