{#
  What a hook cannot build is never approximated: the plan says so, before anything is built.
#}

{# Give each step why a hook cannot build it faithfully (refusal: a string, or none when it can). Asked once for each kind of
   node; a name is each node's own. #}
{% macro _mark_refusals(steps) %}
  {% set refusals, quote = {}, adapter.quote('')[0] %}
  {% for entry in steps %}
    {% set node = entry.node %}
    {% set like = (node.package_name, node.config.materialized, node.language, node.config.incremental_strategy, entry.selected, node.depends_on.macros | join) %}
    {% if like not in refusals %}{% do refusals.update({like: dbt_selfheal._refusal(entry)}) %}{% endif %}
    {% do entry.update({'refusal': 'its database, schema or alias holds a quote, which dbt puts into SQL as it is'
      if quote in node.database ~ node.schema ~ node.alias else refusals[like]}) %}
  {% endfor %}
{% endmacro %}


{# Why a hook cannot build nodes of this kind: a string, or none. What it asks must be part of `like` above.
   entry: of the survey, the first of its kind. #}
{% macro _refusal(entry) %}
  {% set node = entry.node %}
  {% if entry.selected and node.config.materialized not in ('seed', 'table', 'view') %}
    {% do return('this command builds it too, after something unselected needs it, and ' ~ node.config.materialized ~ ' built twice is not built once') %}
  {% elif node.language == 'python' %}
    {% do return('Python models run outside of the database connection') %}
  {% elif node.config.materialized == 'incremental' and node.config.incremental_strategy == 'microbatch' %}
    {% do return('microbatch models are run batch by batch by dbt itself') %}
  {% elif not dbt_selfheal._materialization(node) %}
    {% do return('the materialization ' ~ node.config.materialized ~ ' is not found') %}
  {% endif %}
  {% set uses = dbt_selfheal._macro_uses(node) %}
  {% if uses.has_var %}
    {% do return('a macro that it calls asks var.has_var(), which a hook cannot answer for it') %}
  {% elif uses.calls and uses.reads %}
    {% do return('macros that it calls use both config(...) and config.get(...), which a hook cannot tell apart') %}
  {% endif %}
  {% do return(dbt_selfheal._ambiguous_dispatch(node)) %}
{% endmacro %}


{# A package's macro that dispatches without a namespace finds the package's own implementation before the root
   project's; from a hook it is the other way round. Where both have one, a hook cannot build the package's nodes. #}
{% macro _ambiguous_dispatch(node) %}
  {% set root = context.get(adapter.config.project_name, {}) %}
  {% if node.package_name == adapter.config.project_name %}{% do return(none) %}{% endif %}
  {% set macros = context.get(node.package_name, {}) %}
  {% for name in macros if '__' in name and name in root %}
    {% set dispatched = name.split('__', 1)[1] %}
    {% for macro in macros.values() if modules.re.search('dispatch\\(\\s*[\'"]' ~ dispatched ~ '[\'"]\\s*\\)', macro.macro.macro_sql) %}
      {% do return('its package dispatches ' ~ dispatched ~ ' without a namespace, and both the package and the root project implement it') %}
    {% endfor %}
  {% endfor %}
  {% do return(none) %}
{% endmacro %}


{# Raise when a step of the plan cannot be built in a hook; names each, and the command that builds them. #}
{% macro _raise_refusals(plan) %}
  {% set refused = plan.steps | selectattr('refusal') | list %}
  {% if refused %}
    {% set lines = [refused | length ~ ' of ' ~ plan.steps | length ~ ' missing relations cannot be built from a hook:'] %}
    {% for entry in refused[:10] %}
      {% do lines.append('  ' ~ dbt_selfheal._kind(entry.node) ~ ' ' ~ entry.node.name ~ ' (' ~ entry.node.original_file_path ~ '): ' ~ entry.refusal) %}
    {% endfor %}
    {% do lines.append('Nothing was built. Build what is missing with dbt itself, then run this command again:') %}
    {% do lines.append('  ' ~ dbt_selfheal._build_command(plan)) %}
    {% do dbt_selfheal._raise(lines | join('\n')) %}
  {% endif %}
{% endmacro %}


{# The dbt command that builds all that a plan would build. #}
{% macro _build_command(plan) %}
  {% set names = [] %}
  {% for entry in plan.steps %}
    {% do names.append(entry.node.name ~ ('.v' ~ entry.node.version if entry.node.version is defined and entry.node.version is not none else '')) %}
  {% endfor %}
  {% do return('dbt build --select ' ~ names | join(' ')) %}
{% endmacro %}


{# Raise when a step reads a source that is not in the database; names the source, its table and its loader. #}
{% macro _raise_missing_sources(plan) %}
  {% set names = {} %}
  {% for entry in plan.steps %}
    {% for unique_id in entry.node.depends_on_nodes if unique_id.startswith('source.') and unique_id not in plan.visited %}
      {% set source = builtins.ref.manifest.sources[unique_id] %}
      {% if not dbt_selfheal._source_exists(source, names) %}
        {% do dbt_selfheal._raise_missing_source(source, entry.node) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
{% endmacro %}


{% macro _raise_missing_source(source, reader) %}
  {% set lines = [
    'the source ' ~ source.source_name ~ '.' ~ source.name ~ ' is missing: there is no ' ~ source.relation_name ~ ' in the database.',
    'It is read by ' ~ reader.name ~ ' (' ~ reader.original_file_path ~ '), which is missing and cannot be built without it.'] %}
  {% set disabled = [] %}
  {% for node in builtins.ref.manifest.disabled.values() | sum(start=[]) if node.resource_type in ('model', 'seed', 'snapshot') %}
    {% if node.alias == source.identifier and dbt_selfheal._same_place(node, source) %}{% do disabled.append(node) %}{% endif %}
  {% endfor %}
  {% if disabled %}
    {% do lines.append('The ' ~ disabled[0].resource_type ~ ' ' ~ disabled[0].name ~ ' (' ~ disabled[0].original_file_path ~ ') makes it, and is disabled: enable it.') %}
  {% else %}
    {% do lines.append('Load it' ~ (' with ' ~ source.loader if source.loader else '') ~ ', or correct its database, schema or identifier in '
      ~ source.original_file_path ~ '. Nothing was built.') %}
  {% endif %}
  {% do dbt_selfheal._raise(lines | join('\n')) %}
{% endmacro %}


{# Whether a source can be read. names: dict that remembers the names in the schemas asked. #}
{% macro _source_exists(source, names) %}
  {% do return(adapter.dispatch('_source_exists', 'dbt_selfheal')(source, names)) %}
{% endmacro %}

{# By the catalog's names without regard to case: dbt's own lookup stops with an error where the case differs, and the
   database may well read such a table. #}
{% macro default___source_exists(source, names) %}
  {% set schema = api.Relation.create_from(namespace(quoting={}), source).without_identifier() %}
  {% if schema | string not in names %}{% do names.update({schema | string: dbt_selfheal._names_in_schema(schema)}) %}{% endif %}
  {% do return(source.identifier | lower in names[schema | string]) %}
{% endmacro %}

{# On DuckDB a source may be a file or a function call in place of a relation. #}
{% macro duckdb___source_exists(source, names) %}
  {% set relation = api.Relation.create_from(namespace(quoting={}), source) %}
  {% do return(relation.external is not none or dbt_selfheal.default___source_exists(source, names)) %}
{% endmacro %}
