{# Apache Spark: no transactions, and no statement that only one session can win. #}

{% macro spark___traits() %}
  {% do return(dict(dbt_selfheal.default___traits(), **{'tested': 'spark', 'names': true, 'seed_loading': context['dbt_selfheal']['_spark_seed_loading']})) %}
{% endmacro %}


{# Spark has no transactions: a seed's rows go into a table with a working name, which is renamed once they are all there.
   (Not where the project says where the files lie: those of a dead attempt would become part of the next table.) #}
{% macro _spark_seed_loading() %}
  {% set known = ['macro.dbt.create_csv_table', 'macro.dbt.default__create_csv_table', 'macro.dbt.load_csv_rows', 'macro.dbt.default__load_csv_rows',
                  'macro.dbt_spark.spark__create_csv_table', 'macro.dbt_spark.spark__load_csv_rows'] %}
  {% if dbt_selfheal._implementations(['create_csv_table', 'load_csv_rows']) | sort == known | sort %}
    {% set macros = context['dbt_selfheal'] %}
    {% do return({'create_csv_table': macros['_create_working_table'], 'load_csv_rows': macros['_load_working_table']}) %}
  {% endif %}
  {% do return({}) %}
{% endmacro %}


{# Stands for `create_csv_table`: makes the seed's table under its working name, after what dead attempts have left. Nothing else has
   such a name, so it may be dropped; each run has its own, so that two at once do not fill the same one. #}
{% macro _create_working_table(model, agate_table) %}
  {% if config.get('location_root') or not agate_table.rows %}{% do return(context['dbt']['create_csv_table'](model, agate_table)) %}{% endif %}
  {% set final, working = this, this.incorporate(path={'identifier': this.identifier ~ '__dbt_selfheal_' ~ invocation_id[:8]}, type='table') %}
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
  {% set final, working = this, this.incorporate(path={'identifier': this.identifier ~ '__dbt_selfheal_' ~ invocation_id[:8]}, type='table') %}
  {% do context.update({'this': working}) %}
  {% set sql = context['dbt']['load_csv_rows'](model, agate_table) %}
  {% do adapter.rename_relation(working, final.incorporate(type='table')) %}
  {% do context.update({'this': final}) %}
  {% do return(sql) %}
{% endmacro %}
