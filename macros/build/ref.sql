{#
  `ref` and `source` as a node's own context has them. The hook's own `ref` refuses what its own SQL did not name;
  these resolve through the manifest with dbt's own rules, for the node in the context. A healed relation is always
  whole: neither --empty nor --sample applies to what it reads.
#}

{# The relation of ref('name'), ref('package', 'name'), ref('name', version=1), for the node in the context. #}
{% macro _ref() %}
  {% set name, package = varargs[-1], varargs[0] if varargs | length == 2 else none %}
  {% set version = kwargs.get('version') or kwargs.get('v') %}
  {% set node, manifest = dbt_selfheal_node, dbt_selfheal_manifest %}
  {% set target_node = manifest.resolve_ref(node, name, package, version, adapter.config.project_name, node.package_name) %}
  {% set named = "ref('" ~ varargs | join("', '") ~ "'" ~ (', version=' ~ version if version else '') ~ ')' %}
  {% if not target_node or target_node.unique_id not in manifest.nodes %}
    {% do exceptions.raise_compiler_error(node.resource_type ~ " '" ~ node.unique_id ~ "' (" ~ node.original_file_path ~ ') depends on ' ~ named
      ~ ', which is not found or disabled') %}
  {% elif manifest.is_invalid_private_ref(node, target_node, adapter.config.dependencies)
      or manifest.is_invalid_protected_ref(node, target_node, adapter.config.dependencies) %}
    {% do exceptions.raise_compiler_error("Node " ~ node.unique_id ~ ' attempted to reference node ' ~ target_node.unique_id
      ~ ', which is not allowed because the referenced node is ' ~ target_node.access ~ ' to its group or package') %}
  {% elif target_node.unique_id not in node.depends_on_nodes %}
    {% do exceptions.raise_compiler_error('dbt was unable to infer all dependencies for the model "' ~ node.name ~ '". Put this at the top of it:\n'
      ~ '-- depends_on: {{ ' ~ named ~ ' }}') %}
  {% endif %}
  {% if target_node.is_ephemeral_model %}
    {% do dbt_selfheal_ephemerals.setdefault(target_node.unique_id, target_node) %}
    {% do return(api.Relation.create_ephemeral_from(target_node)) %}
  {% endif %}
  {% do return(api.Relation.create_from(adapter.config, dbt_selfheal._read_node(target_node) if target_node.defer_relation else target_node)) %}
{% endmacro %}


{# What dbt reads for a node: with --defer the other environment's relation where this one's is not there, or always
   with --favor-state unless the node is selected. (dbt sets defer_relation only when it defers.) #}
{% macro _read_node(node) %}
  {% if node.defer_relation %}
    {% if (adapter.config.args.favor_state and node.unique_id not in selected_resources)
        or not adapter.get_relation(node.database, node.schema, node.alias) %}
      {% do return(node.defer_relation) %}
    {% endif %}
  {% endif %}
  {% do return(node) %}
{% endmacro %}


{# The relation of source('source_name', 'table_name'), for the node in the context. #}
{% macro _source(source_name, table_name) %}
  {% set node = dbt_selfheal_node %}
  {% set target_node = dbt_selfheal._manifest().resolve_source(source_name, table_name, adapter.config.project_name, node.package_name) %}
  {% if not target_node or not target_node.identifier %}
    {% do exceptions.raise_compiler_error(node.resource_type ~ " '" ~ node.unique_id ~ "' (" ~ node.original_file_path ~ ") depends on a source named '"
      ~ source_name ~ '.' ~ table_name ~ "' which is not found or disabled") %}
  {% endif %}
  {% do return(api.Relation.create_from(namespace(quoting={}), target_node)) %}
{% endmacro %}


{# The relation of function('name') or function('package', 'name'), for the node in the context (dbt 1.11). #}
{% macro _function() %}
  {% set node = dbt_selfheal_node %}
  {% set name, package = varargs[-1], varargs[0] if varargs | length == 2 else none %}
  {% set target_node = dbt_selfheal._manifest().resolve_function(name, package, adapter.config.project_name, node.package_name) %}
  {% if not target_node or target_node.unique_id not in dbt_selfheal._manifest().functions %}
    {% do exceptions.raise_compiler_error(node.resource_type ~ " '" ~ node.unique_id ~ "' (" ~ node.original_file_path ~ ") depends on a function named '"
      ~ name ~ "' which is not found or disabled") %}
  {% endif %}
  {% do return(api.Relation.create_from(namespace(quoting={}), target_node, type=api.Relation.Function)) %}
{% endmacro %}


{# The real manifest: an attribute of the hook's own `ref`, which a node's context hides behind ours. dbt v2 has none: there it is `graph`, with
   nodes, sources and functions of the same attributes, and neither hooks, unit tests nor macros. (What both have of a node: `depends_on.nodes`, not
   at a seed of v1; `config.materialized`, none for a seed of v2.) #}
{% macro _manifest() %}
  {% do return(dbt_selfheal_manifest if dbt_selfheal_manifest is defined else builtins.ref.manifest or graph) %}
{% endmacro %}
