{#
  A node's own context, inside a hook (DESIGN 3).

  `context` is the very dict that every macro called from here on sees. To build a node, put in what the node's own
  context would hold and call dbt's own materialization macro. `_base_context` is taken once before the first node,
  and `_restore_context` puts it back after each.
#}

{# What is the same for all nodes, and a copy of the hook's context to put back. #}
{% macro _base_context() %}
  {% do return({'context': context.copy(), 'lent': [], 'manifest': builtins.ref.manifest}) %}
{% endmacro %}


{# Put the context back as _base_context found it. #}
{% macro _restore_context(base) %}
  {% for name in base.lent %}{% do context['dbt'].pop(name) %}{% endfor %}
  {% do base.lent.clear() %}
  {% do context.clear() %}
  {% do context.update(base.context) %}
{% endmacro %}


{# Make the context that of a node. node: the manifest's node; compiled: the result of _compile, or none while the
   node's own code is being rendered; if that has just been done, only what it adds is put in.
   Returns the dict of the node as materializations read it (`model`). #}
{% macro _enter_context(node, base, compiled=none) %}
  {% set model = dbt_selfheal._model_dict(node, compiled) %}
  {% if compiled and context.get('dbt_selfheal_node') is sameas node %}
    {% set members = {'model': model, 'sql': compiled.code, 'compiled_code': compiled.code, 'config': context['dbt_selfheal_config']} %}
    {% do context['builtins'].update(members) %}
    {% do context.update(members) %}
    {% do return(model) %}
  {% endif %}
  {% do dbt_selfheal._restore_context(base) %}
  {% set config = dbt_selfheal._config_object(node) %}
  {% set members = {
    'dbt_selfheal_node': node,
    'dbt_selfheal_manifest': base.manifest,
    'dbt_selfheal_vars': dbt_selfheal._vars_of(node),
    'dbt_selfheal_ephemerals': {},
    'model': model,
    'this': api.Relation.create_from(adapter.config, node),
    'database': node.database,
    'schema': node.schema,
    'sql': compiled.code if compiled else none,
    'compiled_code': compiled.code if compiled else none,
    'pre_hooks': dbt_selfheal._pre_hooks(node) if node.config.pre_hook else [],
    'post_hooks': dbt_selfheal._hooks(node.config.post_hook) if node.config.post_hook else [],
    'defer_relation': none,
    'config': config,
    'dbt_selfheal_config': config,
    'dbt_selfheal_config_call': context['dbt_selfheal']['_config_call'],
    'dbt_selfheal_has_var': context['dbt_selfheal']['_has_var'],
    'ref': context['dbt_selfheal']['_ref'],
    'source': context['dbt_selfheal']['_source'],
    'var': context['dbt_selfheal']['_var'],
    'function': context['dbt_selfheal']['_function'],
    'write': context['dbt_selfheal']['_write'],
    'load_agate_table': context['dbt_selfheal']['_load_agate_table'],
  } %}
  {% if node.resource_type == 'seed' %}
    {% if 'seed_loading' not in base %}{% do base.update({'seed_loading': dbt_selfheal._seed_loading()}) %}{% endif %}
    {% if not dbt_selfheal_database._is_marked(node) %}{% do members.update(base.seed_loading) %}{% endif %}
  {% endif %}
  {% if not compiled and node.resource_type != 'seed' and dbt_selfheal._macro_uses(node).calls %}
    {% do members.update({'config': base.context['builtins'].config}) %}
  {% endif %}
  {% do context.update(dict(members, builtins=dict(base.context['builtins'], **members))) %}
  {% do context.update(dbt_selfheal._package_macros(node.package_name)) %}
  {% do dbt_selfheal._lend_macros(node.package_name, base) %}
  {% do return(model) %}
{% endmacro %}


{# The macros that code of a package sees unqualified, before dbt's own: its own, then the root project's. #}
{% macro _package_macros(package_name) %}
  {% do return(dict(context.get(adapter.config.project_name, {}), **context.get(package_name, {}))) %}
{% endmacro %}


{# `adapter.dispatch('x')` without a namespace searches this package, the root project and dbt's own macros. Lend
   dbt's namespace (the very dict that is searched) the macros of the node's package that it lacks. #}
{% macro _lend_macros(package_name, base) %}
  {% if package_name != adapter.config.project_name %}
    {% for name, macro in context.get(package_name, {}).items() if name not in context['dbt'] %}
      {% do context['dbt'].update({name: macro}) %}
      {% do base.lent.append(name) %}
    {% endfor %}
  {% endif %}
{% endmacro %}


{# The dict of a node as its own context has it in `model`. #}
{% macro _model_dict(node, compiled) %}
  {% set model = node.to_dict(omit_none=true) %}
  {% if compiled %}
    {% do model.update({'compiled': true, 'compiled_code': compiled.code, 'extra_ctes_injected': true, 'extra_ctes': compiled.ctes}) %}
    {% if model.get('constraints') or model.get('columns') %}{% do dbt_selfheal._resolve_foreign_keys(model) %}{% endif %}
  {% endif %}
  {% do return(model) %}
{% endmacro %}


{# dbt resolves `to: ref('x')` of foreign keys when it compiles a model (from 1.9 on). #}
{% macro _resolve_foreign_keys(model) %}
  {% set constraints = model.get('constraints', []) + (model.get('columns', {}).values() | map(attribute='constraints') | select | sum(start=[])) %}
  {% for constraint in constraints if constraint.type == 'foreign_key' and constraint.get('to') and dbt_selfheal._manifest().find_node_from_ref_or_source is defined %}
    {% set target = dbt_selfheal._manifest().find_node_from_ref_or_source(constraint.to) %}
    {% if target %}
      {% do constraint.update({'to': api.Relation.create_from(adapter.config, dbt_selfheal._read_node(target)) | string}) %}
    {% endif %}
  {% endfor %}
{% endmacro %}


{% macro _hooks(hooks) %}
  {% set dicts = [] %}
  {% for hook in hooks %}{% do dicts.append(hook.to_dict(omit_none=true)) %}{% endfor %}
  {% do return(dicts) %}
{% endmacro %}


{# A node's pre-hooks. Those outside of the transaction end the one that _begin_node has begun. #}
{% macro _pre_hooks(node) %}
  {% do return(adapter.dispatch('_pre_hooks', 'dbt_selfheal')(dbt_selfheal._hooks(node.config.pre_hook))) %}
{% endmacro %}

{% macro default___pre_hooks(hooks) %}
  {% do return(hooks) %}
{% endmacro %}

{% macro postgres___pre_hooks(hooks) %}
  {% set begin = [{'sql': 'begin', 'transaction': true}] if hooks | rejectattr('transaction') | list and not adapter.config.credentials.autocommit else [] %}
  {% do return(begin + hooks) %}
{% endmacro %}


{# Stands for `write`, which keeps a copy of the SQL under target/run: a hook has no node to file it under. #}
{% macro _write(payload) %}
  {% do return('') %}
{% endmacro %}
