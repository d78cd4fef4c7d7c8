{#
  `config` as a node's own context has it: calling it does nothing (dbt read those calls when it parsed the project),
  while config.get, config.require and the others answer for the node. They read the node from the context.

  Nothing that a hook can reach is both callable and answers for another node, so the two uses are told apart: in a
  node's own code by rewriting (see rewrite.sql), in the macros it calls by which of the two they do.
#}

{# What the macros that a node calls, of the project or a package, do with `config`, `var` and `ref`, each true or false: 'calls': config(...), 'reads': config.get
   and the like, 'has_var': var.has_var; what they, or the node's own code, do with dbt's own ref: 'ref_calls': builtins.ref(...), 'ref_reads': builtins.ref.config and
   .manifest (the same for all nodes), 'ref_others': other members of it, which are not. #}
{% macro _macro_uses(node) %}
  {% set code = dbt_selfheal._code_of_macros(dbt_selfheal._macros_of(node)) %}
  {% set refs = dict.fromkeys(modules.re.findall('\\bbuiltins\\s*(?:[.]\\s*(?:ref|source)|\\[[^\\]]*\\])\\s*([(]|[.]\\s*\\w+)', node.raw_code ~ code) | map('replace', ' ', '')) %}
  {% do return({
    'calls': modules.re.search('(?<![\\w.])config\\s*\\(', code) is not none,
    'reads': modules.re.search('(?<![\\w.])config\\s*[.]', code) is not none,
    'has_var': '.has_var' in code,
    'ref_calls': '(' in refs,
    'ref_reads': '.config' in refs or '.manifest' in refs,
    'ref_others': refs | reject('in', ['(', '.config', '.manifest']) | first is defined}) %}
{% endmacro %}


{# A copy of a dict: some materializations write into it. #}
{% macro _config_get(name, default=none, validator=none) %}
  {% set value = dbt_selfheal_node.config.get(name, default) %}
  {% if validator is not none and default is not none %}{% do validator(value) %}{% endif %}
  {% do return(dict(value) if value is mapping else value) %}
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


{# Stands for `write`: keeps the SQL that a node runs where dbt keeps it, and under `compiled` the query that it was made from.
   payload: the text; folder: in the target folder. #}
{% macro _write(payload, folder='run') %}
  {% set node = context['dbt_selfheal_node'] %}
  {% do node.write_node(adapter.config.project_root, node.get_target_write_path(adapter.config.target_path, folder), payload) %}
  {% do return('') %}
{% endmacro %}
