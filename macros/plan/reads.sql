{#
  What a node really reads. Its `depends_on` also names what it does not read: a ref for the order only (`-- depends_on:`), an
  optional one behind a macro, a relation that the project's own `ref` sends elsewhere. Only what is needed may stop a command.
#}


{# Of the parents of a node, those that it does not read (`unread`) and those of which it is not known (`unknown`): {unique_id: either}.
   Its compiled SQL decides where nothing that runs while it is compiled can ask the database or raise an
   error of its own: neither its code nor the macros that it calls, of the project and its packages. Else what its code says decides: what a
   selected node looks up before it reads it is optional, and its absence is the command's own business. reader: a unique id; selected:
   dict keyed by selected unique ids. #}
{% macro _edges(reader, selected={}) %}
  {% set manifest, edges = builtins.ref.manifest, {} %}
  {% set node = manifest.nodes[reader] %}
  {% if node.language == 'python' or node.resource_type not in ('model', 'snapshot') %}{% do return({}) %}{% endif %}
  {% set asks = '\\b(?:run_query|statement|load_\\w+|get_\\w+)\\s*[(]|\\b(?:adapter|exceptions|graph|dbt_utils|builtins|context)\\b' %}
  {% set called = dbt_selfheal._code_of_macros(node.depends_on.macros | reject('in', ['macro.' ~ adapter.config.project_name ~ '.ref', 'macro.' ~ adapter.config.project_name ~ '.source'])) %}
  {% set code, plain = node.raw_code, not modules.re.search(asks, node.raw_code ~ called) %}
  {% if plain %}
    {% set base = dbt_selfheal._base_context() %}
    {% do dbt_selfheal._enter_context(node, base) %}
    {% set code = render(dbt_selfheal._rewritten_code(node.raw_code)) %}
    {% do dbt_selfheal._restore_context(base) %}
  {% endif %}
  {# what its configuration, hooks and foreign keys read is not in its SQL #}
  {% set plain = plain and 'ref(' not in node.config.to_dict() | string and 'foreign_key' not in node.constraints | string ~ node.columns | string %}
  {% set code = modules.re.sub("('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`)|--[^\n]*|/[*](?:[^*]|[*](?!/))*[*]/|[{]#(?:[^#]|#(?![}]))*#[}]", '\\1', code) %}
  {% for parent in node.depends_on_nodes %}
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
      {% if reader in selected and modules.re.search('\\b(?:load_relation|load_cached_relation|get_relation)\\s*[(]', node.raw_code ~ called) %}
        {% do edges.update({parent: 'unread'}) %}
      {% elif not named or modules.re.search('[{]%-?\\s*if\\b', code) %}
        {% do edges.update({parent: 'unknown'}) %}
      {% endif %}
    {% endif %}
  {% endfor %}
  {% do return(edges) %}
{% endmacro %}


{# The code of macros and of those that they call, as one text, without dbt's own and the adapter's. ids: list of unique ids. #}
{% macro _code_of_macros(ids) %}
  {% set macros, queue, seen, own = dbt_selfheal._manifest().macros, ids | list, {}, ['dbt', 'dbt_' ~ adapter.type()] %}
  {% for id in queue if id not in seen and id in macros and macros[id].package_name not in own %}
    {% do seen.update({id: macros[id].macro_sql}) %}
    {% do queue.extend(macros[id].depends_on.macros) %}
  {% endfor %}
  {% do return(seen.values() | join('\n')) %}
{% endmacro %}
