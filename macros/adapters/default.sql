{#
  What differs from one database to another. Each adapter has one file in this folder: its traits, and the few macros that need
  SQL of their own (docs/adapters.md: how to write one). What a file does not say is as said here: what is not known is not claimed, and
  what an adapter cannot answer is an error with its name. Nothing outside of this folder names an adapter.
#}

{# The traits of the adapter in use, a dict. Of the queries, {database}, {schema}, {name} and {key} stand for literals.
     tested            the adapter with which healed equals built is tested here (one may come with another's file)
     any_case          whether names that differ in case alone are one name to the database
     bound_views       whether a view cannot outlive what it reads (and goes with it when that is made anew)
     names             what can be read in a schema: a query of name and type; or {'macro', 'name', 'type'}: dbt's own macro that lists it, and where in
                       each of its rows (or relations) those two are; none, as on every adapter without a file: dbt's relation cache has to do
     function_exists   query that has a row when the function is there; none: it is not known how to look
     forbidden         query whose row says why nothing can be made in a schema; none: that is not known beforehand
     exact             whether names that differ in case are different relations, as the project quotes names
     can_read          macro: whether a node's view can be read; none: the database cannot be asked without an error
     view_code         query of the code of the view {name}, in place of that on dbt v2; none: it is not known how to ask
     outside           macro: where the data of a node with a materialization `external` is, see there; none: in the database
     file_sources      whether a source may be a file or a call in place of a relation
     enter_session     macro that makes the session of the hook's connection like that of a node's, setting back what hooks before have
                       set; returns the statements that undo it, or none when a transaction is open. none: nothing is known to be set
     begin             statement that begins a node's transaction, where the driver does so only on a fresh connection; none: dbt does
     transactions      'dbt': dbt knows whether one is open; 'database': one may be open that dbt does not know of; 'none': there are none, or it is not
                       known whether a statement that ends one would be an error
     try_lock          query, or macro, that tries once to take the lock with a key and tells whether it is held, until `unlock` or the end
                       of the session; none: there is nothing that only one session can hold
     looks_again       whether each node is looked for once more just before it is built, since nothing keeps two initializations apart
     before_lock, unlock, after_lock   statements: before the first try, to give back, after the last is given back
     wait              statement in which a little time passes (Jinja cannot sleep)
     builder           query that has a row while another session makes a relation: what is said of it, and a text that changes as that session
                       makes progress; {schema}, {name} and {key}, the unique id of its node; none: the database does not tell
     lock_holder       query of who holds a lock, as text, and a text that changes as that session makes progress; none: the database does not tell
     typed_values      query whose columns are an integer, a decimal, a date, a timestamp, a boolean and two texts
     database_reads_seeds   whether the database itself reads a seed's file
     seed_outline      macro: the agate table that stands for a large seed's file when its types are created from it, see there; none
     small_seed_outlines   whether it is asked for small files too, which takes longer than to read them
     seed_packages     dbt's packages whose macros load a seed through `this` alone: where a killed run would leave a seed half loaded, its rows go into a
                       table with a working name, which is renamed once they are all there; none: the database keeps it whole, or it is not known how
     seed_rows         the adapter's own `load_csv_rows`, where that inserts as dbt's default does: its name (macro), what its code must hold for that (holds),
                       the rows of a statement (batch) and the method that makes a row's bindings (transform); none: it has none like that
     host_name         query of where dbt runs, for when the environment does not tell; none #}
{% macro _traits() %}
  {% set traits = adapter.dispatch('_traits', 'dbt_selfheal')() %}
  {% if traits.tested != adapter.type() %}{% do traits.update({'names': none, 'seed_packages': none}) %}{% endif %}  {# what was never tried there may not decide what is missing #}
  {% set quoting = adapter.config.quoting if adapter.config else (graph.nodes.values() | first or {}).quoting or {} %}
  {% do traits.update({'exact': not traits.any_case and quoting.identifier is not false}) %}
  {% if dbt_version >= '2' %}{% do traits.update({'can_read': none, 'outside': none}) %}{% endif %}
  {% do return(traits) %}
{% endmacro %}

{% macro default___traits() %}
  {% do return({
    'tested': none, 'any_case': true, 'bound_views': false, 'names': none, 'function_exists': none, 'forbidden': none, 'can_read': none, 'view_code': none, 'outside': none, 'file_sources': false,
    'enter_session': none, 'begin': none, 'transactions': 'none',
    'try_lock': none, 'looks_again': true, 'before_lock': none, 'unlock': none, 'after_lock': none, 'wait': none, 'builder': none, 'lock_holder': none,
    'typed_values': "select 1 as i, 1.5 as n, cast('2000-01-01' as date) as d, cast('2000-01-01 00:00:00' as timestamp) as t, "
      ~ "cast(1 as boolean) as b, 'a' as raw, 'a' as txt",
    'database_reads_seeds': false, 'seed_outline': none, 'small_seed_outlines': false, 'seed_packages': none, 'seed_rows': none, 'host_name': none,
  }) %}
{% endmacro %}


{# The rows of a statement, outside of any transaction of dbt's; of a trait's query, with its places filled in. place: anything with database and
   schema; name: of what is looked for. #}
{% macro _fetch(sql, place=none, name='') %}
  {% if place %}
    {% set sql = sql.replace('{database}', dbt_selfheal._literal(place.database or '')).replace('{schema}', dbt_selfheal._literal(place.schema)).replace('{name}', dbt_selfheal._literal(name)) %}
  {% endif %}
  {% do return(adapter.execute(sql, auto_begin=false, fetch=true)[1].rows) %}
{% endmacro %}


{# A text as an SQL literal. #}
{% macro _literal(text) %}
  {% do return(dbt.string_literal(dbt.escape_single_quotes(text))) %}
{% endmacro %}


{# What can be read in a schema, asked from the database: {name: type}; empty when there is no such schema. Functions are left out, which some
   adapters list too; of other types than tables, views and materialized views it only matters that they can be read. An error where the
   trait `names` is none. place: anything with database and schema; lower: whether to put the names in lower case. #}
{% macro _names_in_schema(place, lower=false) %}
  {% set names, query = {}, dbt_selfheal._traits().names %}
  {% if query is string %}
    {% for row in dbt_selfheal._fetch(query, place) %}{% do names.update({row[0] | lower if lower else row[0]: row[1]}) %}{% endfor %}
  {% elif query is none %}
    {% do dbt_selfheal._raise('the adapter ' ~ adapter.type() ~ ' cannot be asked what is in the schema ' ~ place.schema ~ ': it has no file with the trait `names`.\nWrite one as docs/adapters.md says, or do without what needs it') %}
  {% elif adapter.check_schema_exists(place.database, place.schema) %}
    {% set schema = api.Relation.create(database=place.database, schema=place.schema, quote_policy=adapter.config.quoting if adapter.config else place.quoting).without_identifier() %}
    {% for row in (list_relations_without_caching(schema) if query.macro == 'list_relations_without_caching' else context[query.macro](schema)) %}
      {% set name, kind = row[query.name], '' ~ row[query.type] | lower %}
      {% set type = 'materialized_view' if 'materialized' in kind else 'view' if kind == 'view' or 'type: view' in kind else 'table' %}
      {% if kind != 'function' %}{% do names.update({name | lower if lower else name: type}) %}{% endif %}
    {% endfor %}
  {% endif %}
  {% do return(names) %}
{% endmacro %}


{# The members of a seed's context that load its rows. By the statements of dbt's default__load_csv_rows, or of one like it, made without its call of
   another macro for each value; under a working name, where the trait `seed_packages` says so; in their own way, where a project or an adapter loads them so. #}
{% macro _seed_loading() %}
  {% set traits, macros = dbt_selfheal._traits(), context['dbt_selfheal'] %}
  {% set packages, own = traits.seed_packages, traits.seed_rows or {'macro': 'default__load_csv_rows', 'holds': 'bindings.extend(row)'} %}
  {% if packages %}
    {% set others = [] %}
    {% for id in dbt_selfheal._implementations(['create_csv_table', 'load_csv_rows']) if id.split('.')[1] not in ['dbt'] + packages %}{% do others.append(id) %}{% endfor %}
    {% do return(dict.fromkeys(['create_csv_table', 'load_csv_rows'], macros['_by_working_name']) if not others else {}) %}
  {% endif %}
  {% set loader = context['dbt'].get(own.macro) %}
  {% if loader and own.holds in loader.macro.macro_sql and dbt_selfheal._implementations(['load_csv_rows'])
      | reject('in', ['macro.dbt.default__load_csv_rows', 'macro.dbt.load_csv_rows', loader.macro.unique_id]) | first is not defined %}
    {% do return({'load_csv_rows': macros['_load_csv_rows']}) %}
  {% endif %}
  {% do return({}) %}
{% endmacro %}


{# Stands for `create_csv_table`, which is called first, and for `load_csv_rows`: makes the seed's table under a working name, after what dead
   attempts have left; fills it, and gives it the seed's own name, unless another run has made the seed meanwhile. Nothing else has such a name, so it
   may be dropped; each run has its own, so that two at once do not fill the same one. (Not where the project says where the files lie:
   those of a dead attempt would become part of the next table.) #}
{% macro _by_working_name(model, agate_table) %}
  {% set step, final = 'load_csv_rows' if dbt_selfheal_created is defined else 'create_csv_table', this %}
  {% do context.update({'dbt_selfheal_created': true}) %}
  {% if config.get('location_root') or not agate_table.rows %}{% do return(context['dbt'][step](model, agate_table)) %}{% endif %}
  {% set working = final.incorporate(path={'identifier': final.identifier ~ '__dbt_selfheal_' ~ invocation_id[:8]}, type='table') %}
  {% set pattern = modules.re.compile(modules.re.escape(final.identifier) ~ '__dbt_selfheal_[0-9a-f]{8}', modules.re.IGNORECASE) %}
  {% for name in (dbt_selfheal._names_in_schema(final) if step == 'create_csv_table' else []) if pattern.fullmatch(name) %}
    {% do adapter.drop_relation(final.incorporate(path={'identifier': name}, type='table')) %}
  {% endfor %}
  {% do context.update({'this': working}) %}
  {% set sql = context['dbt'][step](model, agate_table) %}
  {% do context.update({'this': final}) %}
  {% if step == 'load_csv_rows' %}
    {% if final.identifier | lower in dbt_selfheal._names_in_schema(final, true) %}{% do adapter.drop_relation(working) %}{% else %}{% do adapter.rename_relation(working, final.incorporate(type='table')) %}{% endif %}
  {% endif %}
  {% do return(sql) %}
{% endmacro %}
