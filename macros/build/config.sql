{#
  `config` as a node's own context has it: calling it does nothing (dbt read those calls when it parsed the project),
  while config.get, config.require and the others answer for the node. They read the node from the context.

  Nothing that a hook can reach is both callable and answers for another node, so the two uses are told apart: in a
  node's own code by rewriting (see rewrite.sql), in the macros it calls by which of the two they do.
#}

{# The `config` that answers: a namespace whose attributes are macros. #}
{% macro _config_object(node) %}
  {% set own = context['dbt_selfheal'] %}
  {% do return(namespace(
    model=node,
    get=own['_config_get'],
    require=own['_config_require'],
    set=own['_config_set'],
    meta_get=own['_config_meta_get'],
    meta_require=own['_config_meta_require'],
    persist_relation_docs=own['_config_persist_relation_docs'],
    persist_column_docs=own['_config_persist_column_docs'],
  )) %}
{% endmacro %}


{# What a node's code and the macros it calls do with `config` and `var`: {'calls': config(...), 'reads': config.get and
   the like, 'has_var': var.has_var}, each true when a macro of the project or a package does it. #}
{% macro _macro_uses(node) %}
  {% set uses = {'calls': false, 'reads': false, 'has_var': false} %}
  {% set macros = dbt_selfheal._manifest().macros %}
  {% set queue, seen = node.depends_on.macros | list, {} %}
  {% for unique_id in queue if unique_id not in seen and unique_id in macros and not unique_id.startswith('macro.dbt.') %}
    {% do seen.update({unique_id: true}) %}
    {% set macro = macros[unique_id] %}
    {% if modules.re.search('(?<![\\w.])config\\s*\\(', macro.macro_sql) %}{% do uses.update({'calls': true}) %}{% endif %}
    {% if modules.re.search('(?<![\\w.])config\\s*[.]', macro.macro_sql) %}{% do uses.update({'reads': true}) %}{% endif %}
    {% if '.has_var' in macro.macro_sql %}{% do uses.update({'has_var': true}) %}{% endif %}
    {% do queue.extend(macro.depends_on.macros) %}
  {% endfor %}
  {% do return(uses) %}
{% endmacro %}


{% macro _config_get(name, default=none, validator=none) %}
  {% set value = dbt_selfheal_node.config.get(name, default) %}
  {% if validator is not none and default is not none %}{% do validator(value) %}{% endif %}
  {% do return(value) %}
{% endmacro %}


{% macro _config_require(name, validator=none) %}
  {% set missing = namespace() %}
  {% set value = dbt_selfheal_node.config.get(name, missing) %}
  {% if value is sameas missing %}{% do exceptions.missing_config(dbt_selfheal_node, name) %}{% endif %}
  {% if validator is not none %}{% do validator(value) %}{% endif %}
  {% do return(value) %}
{% endmacro %}


{% macro _config_meta_get(name, default=none, validator=none) %}
  {% set value = dbt_selfheal_node.config.meta_get(name, default) %}
  {% if validator is not none and default is not none %}{% do validator(value) %}{% endif %}
  {% do return(value) %}
{% endmacro %}


{% macro _config_meta_require(name, validator=none) %}
  {% set missing = namespace() %}
  {% set value = dbt_selfheal_node.config.meta_get(name, missing) %}
  {% if value is sameas missing %}{% do exceptions.missing_config(dbt_selfheal_node, name) %}{% endif %}
  {% if validator is not none %}{% do validator(value) %}{% endif %}
  {% do return(value) %}
{% endmacro %}


{% macro _config_call() %}
  {% do return('' if varargs or kwargs else '') %}
{% endmacro %}


{% macro _config_set(name, value) %}
  {% do return('') %}
{% endmacro %}


{% macro _config_persist_relation_docs() %}
  {% do return(dbt_selfheal._config_get('persist_docs', {}).get('relation', false)) %}
{% endmacro %}


{% macro _config_persist_column_docs() %}
  {% do return(dbt_selfheal._config_get('persist_docs', {}).get('columns', false)) %}
{% endmacro %}
