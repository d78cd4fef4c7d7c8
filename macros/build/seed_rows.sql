{#
  Inserting a seed's rows. dbt's own macro calls another macro for each value, which on PostgreSQL takes most of the time of
  `dbt seed`. Where that macro is dbt's default one, the same statements are made here without those calls.
#}

{# Stands for `load_csv_rows` in a seed's context: the statements of dbt's default__load_csv_rows. #}
{% macro _load_csv_rows(model, agate_table) %}
  {% set names = agate_table.column_names %}
  {% set row = '(' ~ ([get_binding_char()] * names | length) | join(',') ~ ')' %}
  {% set insert = 'insert into ' ~ this.render() ~ ' (' ~ get_seed_column_quoted_csv(model, names) ~ ') values ' %}
  {% set statements = [] %}
  {% for chunk in agate_table.rows | batch(get_batch_size()) %}
    {% set bindings = [] %}
    {% for values in chunk %}{% do bindings.extend(values) %}{% endfor %}
    {% set sql = insert ~ ([row] * chunk | length) | join(',') %}
    {% do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) %}
    {% if not statements %}{% do statements.append(sql) %}{% endif %}
  {% endfor %}
  {% do return(statements[0]) %}
{% endmacro %}


{# The ids of the macros that may answer a call of one of these names, by dispatch too; this package's own are for seeds that
   are marked insert_missing, which have none of this. #}
{% macro _implementations(names) %}
  {% set found = [] %}
  {% for id in dbt_selfheal._manifest().macros if not id.startswith('macro.dbt_selfheal.') and id.split('.')[2].split('__') | last in names %}{% do found.append(id) %}{% endfor %}
  {% do return(found) %}
{% endmacro %}


{# The members of a seed's context that load its rows: none where the adapter or a project does that in its own way. #}
{% macro _seed_loading() %}
  {% do return(adapter.dispatch('_seed_loading', 'dbt_selfheal')()) %}
{% endmacro %}

{% macro default___seed_loading() %}
  {% set known = ['macro.dbt.default__load_csv_rows', 'macro.dbt.load_csv_rows'] %}
  {% set default = context['dbt'].get('default__load_csv_rows') %}
  {% if dbt_selfheal._implementations(['load_csv_rows']) | sort == known %}
    {% if default and 'bindings.extend(row)' in default.macro.macro_sql %}
      {% do return({'load_csv_rows': context['dbt_selfheal']['_load_csv_rows']}) %}
    {% endif %}
  {% endif %}
  {% do return({}) %}
{% endmacro %}

{# Spark has no transactions: a seed's rows go into a table with a working name, which is renamed once they are all there.
   (Not where the project says where the files lie: those of a dead attempt would become part of the next table.) #}
{% macro spark___seed_loading() %}
  {% set known = ['macro.dbt.create_csv_table', 'macro.dbt.default__create_csv_table', 'macro.dbt.load_csv_rows', 'macro.dbt.default__load_csv_rows',
                  'macro.dbt_spark.spark__create_csv_table', 'macro.dbt_spark.spark__load_csv_rows'] %}
  {% if dbt_selfheal._implementations(['create_csv_table', 'load_csv_rows']) | sort == known | sort %}
    {% set macros = context['dbt_selfheal'] %}
    {% do return({'create_csv_table': macros['_create_working_table'], 'load_csv_rows': macros['_load_working_table']}) %}
  {% endif %}
  {% do return({}) %}
{% endmacro %}


{# Stands for `create_csv_table`: makes the seed's table under its working name, after what dead attempts have left. #}
{% macro _create_working_table(model, agate_table) %}
  {% if config.get('location_root') or not agate_table.rows %}{% do return(context['dbt']['create_csv_table'](model, agate_table)) %}{% endif %}
  {% set final, working = this, dbt_selfheal._working_relation(this) %}
  {% for row in dbt_selfheal._fetch('show tables in ' ~ this.include(identifier=false) ~ " like '*__dbt_selfheal_*'") %}
    {% if modules.re.fullmatch(modules.re.escape(this.identifier | lower) ~ '__dbt_selfheal_[0-9a-f]{8}', row[1]) %}
      {% do adapter.drop_relation(this.incorporate(path={'identifier': row[1]}, type='table')) %}
    {% endif %}
  {% endfor %}
  {% do context.update({'this': working}) %}
  {% set sql = context['dbt']['create_csv_table'](model, agate_table) %}
  {% do context.update({'this': final}) %}
  {% do return(sql) %}
{% endmacro %}


{# Stands for `load_csv_rows`: fills that table, and gives it the seed's own name. #}
{% macro _load_working_table(model, agate_table) %}
  {% if config.get('location_root') or not agate_table.rows %}{% do return(context['dbt']['load_csv_rows'](model, agate_table)) %}{% endif %}
  {% set final, working = this, dbt_selfheal._working_relation(this) %}
  {% do context.update({'this': working}) %}
  {% set sql = context['dbt']['load_csv_rows'](model, agate_table) %}
  {% do adapter.rename_relation(working, final.incorporate(type='table')) %}
  {% do context.update({'this': final}) %}
  {% do return(sql) %}
{% endmacro %}


{# The relation that a seed's rows are loaded into. Nothing else has such a name, so it may be dropped; each run has its own, so
   that two at once do not fill the same one. #}
{% macro _working_relation(relation) %}
  {% do return(relation.incorporate(path={'identifier': relation.identifier ~ '__dbt_selfheal_' ~ invocation_id[:8]}, type='table')) %}
{% endmacro %}
