{#
  Seeds that are marked insert_missing, under `dbt seed` and `dbt build`. dbt's own materialization empties a seed's table
  and fills it anew. With this package in the search order of dbt's macros it inserts the missing rows instead:

    dispatch:
      - macro_namespace: dbt
        search_order: [<your project>, dbt_selfheal_database, dbt]

  The macro of that name that dbt, or its adapter, has is called for every other seed.
#}

{# In place of dbt's own: a marked seed that exists is not emptied. #}
{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
  {% if dbt_selfheal_database._is_marked(model) and not full_refresh %}
    {% do return('-- dbt_selfheal: insert_missing') %}
  {% endif %}
  {% set dbts_own = context['dbt'].get(adapter.type() ~ '__reset_csv_table') or context['dbt']['default__reset_csv_table'] %}
  {% do return(dbts_own(model, full_refresh, old_relation, agate_table)) %}
{% endmacro %}


{# In place of dbt's own: of a marked seed only the missing rows are inserted. #}
{% macro default__load_csv_rows(model, agate_table) %}
  {% if not dbt_selfheal_database._is_marked(model) %}
    {% set dbts_own = context['dbt'].get(adapter.type() ~ '__load_csv_rows') or context['dbt']['default__load_csv_rows'] %}
    {% do return(dbts_own(model, agate_table)) %}
  {% endif %}
  {% set rows = [] %}
  {% do adapter.add_query('select 1') %}  {# the materialization commits: a transaction must be open even when no row is missing #}
  {% set table = {'is_seed': true, 'origin': model.original_file_path, 'title': model.schema ~ '.' ~ model.alias, 'key': model.config.meta.selfheal.key,
    'password_columns': []} %}
  {% if table.key is string %}{% do table.update({'key': [table.key]}) %}{% endif %}
  {% for row in agate_table.rows %}{% do rows.append(dict(zip(agate_table.column_names, row.values()))) %}{% endfor %}
  {% set table = dbt_selfheal_database._prepare_rows(table, this, rows) %}
  {% do table.update({'ready': dbt_selfheal_database._absent_rows(table)}) %}
  {% for chunk in dbt_selfheal_database._chunks(table.ready) %}
    {% do adapter.add_query(dbt_selfheal_database._insert_sql(table, chunk), bindings=dbt_selfheal_database._row_bindings(chunk), abridge_sql_log=true) %}
  {% endfor %}
  {% do return('-- ' ~ table.ready | length ~ ' of ' ~ rows | length ~ ' rows inserted, the others were there') %}
{% endmacro %}


{# Whether a seed, given as materializations have it, is marked. #}
{% macro _is_marked(model) %}
  {% set mark = (model.config.meta or {}).get('selfheal') %}
  {% do return(mark is mapping and mark.get('load') == 'insert_missing') %}
{% endmacro %}


{# Stop before `dbt seed` or `dbt build` replaces the rows of a marked seed: edits would be lost. A --full-refresh is
   taken at its word, but for a seed whose own `full_refresh: false` makes dbt empty it nevertheless. #}
{% macro _protect_seeds() %}
  {% if (adapter.config.get_macro_search_order('dbt') or []) | select('in', ['dbt', 'dbt_selfheal_database']) | first != 'dbt_selfheal_database' %}
    {% set selected = dbt_selfheal._selected() %}
    {% for node in dbt_selfheal_database._marked_seeds() if node.unique_id in selected and not (flags.FULL_REFRESH and node.config.full_refresh is not false) and adapter.get_relation(node.database, node.schema, node.alias) is not none %}
      {% do dbt_selfheal._raise('dbt ' ~ flags.WHICH ~ ' would empty ' ~ node.schema ~ '.' ~ node.alias ~ ' and fill it from ' ~ node.original_file_path
        ~ '; that seed is marked insert_missing, so rows that people have edited must stay.\nLet dbt_selfheal_database load it: put this into dbt_project.yml\n'
        ~ '  dispatch:\n    - macro_namespace: dbt\n      search_order: [' ~ adapter.config.project_name ~ ', dbt_selfheal_database, dbt]\n'
        ~ 'or leave it out: dbt ' ~ flags.WHICH ~ ' --exclude ' ~ node.name) %}
    {% endfor %}
  {% endif %}
{% endmacro %}
