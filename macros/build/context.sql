{#
  A node's own context, inside a hook (docs/decisions/0001).

  `context` is the very dict that every macro called from here on sees. To build a node, put in what the node's own
  context would hold and call dbt's own materialization macro. `_base_context` is taken once before the first node,
  and `_restore_context` puts it back after each.
#}

{# What is the same for all nodes: `traits`; `place`, the dict that what is put into the context lands in, and `context`, what it holds now.
   (From dbt 1.12 on the context is a chain of dicts, the macros in the second of them. What it has besides macros, the last, is put into
   the first, where it is found at once.) #}
{% macro _base_context() %}
  {% set maps, plain = context.maps or [context], {} %}
  {% for name in maps[-1] if maps | length > 1 %}{% do plain.update({name: context[name]}) %}{% endfor %}
  {% do return({'place': maps[0], 'context': dict(plain, **maps[0]), 'lent': [], 'macros': {}, 'compiled': {}, 'manifest': builtins.ref.manifest, 'traits': dbt_selfheal._traits()}) %}
{% endmacro %}


{# Put the context back as _base_context found it. #}
{% macro _restore_context(base) %}
  {% for name in base.lent %}{% do context['dbt'].pop(name) %}{% endfor %}
  {% do base.lent.clear() %}
  {% do base.place.clear() %}
  {% do base.place.update(base.context) %}
{% endmacro %}


{# Make the context that of a node. node: the manifest's node; compiled: the result of _compile, or none while the
   node's own code is being rendered; if that has just been done, only what it adds is put in.
   Returns the dict of the node as materializations read it (`model`). #}
{% macro _enter_context(node, base, compiled=none) %}
  {% set model = dbt_selfheal._model_dict(node, compiled) %}
  {% if compiled and context.get('dbt_selfheal_node') is sameas node %}
    {% set members = {'model': model, 'sql': compiled.code, 'compiled_code': compiled.code, 'config': context['dbt_selfheal_config']} %}
    {% do context['builtins'].update(members) %}
    {% do base.place.update(members) %}
    {% do return(model) %}
  {% endif %}
  {% do dbt_selfheal._restore_context(base) %}
  {% set own, begin, hooks, docs = context['dbt_selfheal'], base.traits.begin, {'pre_hook': [], 'post_hook': []}, node.config.get('persist_docs') or {} %}
  {% for when, dicts in hooks.items() %}{% for hook in node.config[when] or [] %}{% do dicts.append(hook.to_dict(omit_none=true)) %}{% endfor %}{% endfor %}
  {% if begin and hooks.pre_hook | rejectattr('transaction') | list %}  {# those outside of the transaction end the one that was begun #}
    {% do hooks.pre_hook.insert(0, {'sql': begin, 'transaction': true}) %}
  {% endif %}
  {% set vars = {} %}
  {% set package = (adapter.config.dependencies or {}).get(node.package_name) if node.package_name != adapter.config.project_name %}
  {% if package %}{% do vars.update(package.vars.vars_for(node, adapter.type())) %}{% endif %}
  {% do vars.update(adapter.config.vars.vars_for(node, adapter.type())) %}
  {% do vars.update(adapter.config.cli_vars) %}
  {% set config = namespace(model=node, get=own['_config_get'], require=own['_config_require'], set=''.format, meta_get=own['_config_meta_get'],
    meta_require=own['_config_meta_require'], persist_relation_docs=('1' if docs.get('relation') else '').isdigit, persist_column_docs=('1' if docs.get('columns') else '').isdigit) %}  {# true or false #}
  {# ''.format takes anything and does nothing, as do `config(...)` and `config.set`, which dbt read when it parsed the project #}
  {% set members = {
    'dbt_selfheal_node': node,
    'dbt_selfheal_manifest': base.manifest,
    'dbt_selfheal_vars': vars,
    'dbt_selfheal_ephemerals': {},
    'model': model,
    'this': api.Relation.create_from(adapter.config, node),
    'database': node.database,
    'schema': node.schema,
    'sql': compiled.code if compiled else none,
    'compiled_code': compiled.code if compiled else none,
    'pre_hooks': hooks.pre_hook,
    'post_hooks': hooks.post_hook,
    'defer_relation': none,
    'config': config,
    'dbt_selfheal_config': config,
    'dbt_selfheal_config_call': ''.format,
    'dbt_selfheal_has_var': own['_has_var'],
    'ref': own['_ref'],
    'source': own['_source'],
    'var': own['_var'],
    'function': own['_function'],
    'write': own['_write'],
    'load_agate_table': own['_load_agate_table'],
  } %}
  {% if node.resource_type == 'seed' %}
    {% if 'seed_loading' not in base %}{% do base.update({'seed_loading': dbt_selfheal._seed_loading()}) %}{% endif %}
    {% if not node.config.meta.selfheal %}{% do members.update(base.seed_loading) %}{% endif %}
  {% endif %}
  {% set uses = dbt_selfheal._macro_uses(node) if not compiled and node.resource_type != 'seed' else {} %}
  {% if uses.calls %}{% do members.update({'config': base.context['builtins'].config}) %}{% endif %}
  {% do base.place.update(dict(members, builtins=dict(base.context['builtins'], **dict(members, **({'ref': base.context['builtins'].ref} if uses.ref_reads else {}))))) %}
  {% do dbt_selfheal._lend_macros(node.package_name, base) %}
  {% do return(model) %}
{% endmacro %}


{# Give the context the macros that code of a package sees unqualified, before dbt's own: its own, then the root project's.
   `adapter.dispatch('x')` without a namespace searches this package, the root project and dbt's own macros: lend dbt's namespace
   (the very dict that is searched) the macros of the node's package that it lacks. Both are looked for once for each package. #}
{% macro _lend_macros(package_name, base) %}
  {% if package_name not in base.macros %}
    {% set own, lent = dict(context.get(package_name, {})), {} %}
    {% for name in own if package_name != adapter.config.project_name and name not in context['dbt'] %}{% do lent.update({name: own[name]}) %}{% endfor %}
    {% do base.macros.update({package_name: (dict(context.get(adapter.config.project_name, {}), **own), lent)}) %}
  {% endif %}
  {% do base.place.update(base.macros[package_name][0]) %}
  {% do context['dbt'].update(base.macros[package_name][1]) %}
  {% do base.lent.extend(base.macros[package_name][1]) %}
{% endmacro %}


{# The dict of a node as its own context has it in `model`. (dbt resolves `to: ref('x')` of foreign keys when it compiles a model,
   from 1.9 on.) #}
{% macro _model_dict(node, compiled) %}
  {% set model = node.to_dict(omit_none=true) %}
  {% if compiled %}
    {% do model.update({'compiled': true, 'compiled_code': compiled.code, 'extra_ctes_injected': true, 'extra_ctes': compiled.ctes}) %}
    {% set constraints = model.get('constraints', []) + (model.get('columns', {}).values() | map(attribute='constraints') | select | sum(start=[])) %}
    {% for constraint in constraints if constraint.type == 'foreign_key' and constraint.get('to') and dbt_selfheal._manifest().find_node_from_ref_or_source is defined %}
      {% set target = dbt_selfheal._manifest().find_node_from_ref_or_source(constraint.to) %}
      {% if target %}
        {% do constraint.update({'to': api.Relation.create_from(adapter.config, dbt_selfheal._read_node(target)) | string}) %}
      {% endif %}
    {% endfor %}
  {% endif %}
  {% do return(model) %}
{% endmacro %}
