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
  {% set known = ['macro.dbt.load_csv_rows', 'macro.dbt.default__load_csv_rows'] %}
  {% set default = context['dbt'].get('default__load_csv_rows') %}
  {% if dbt_selfheal._implementations(['load_csv_rows']) | sort == known | sort and default and 'bindings.extend(row)' in default.macro.macro_sql %}
    {% do return({'load_csv_rows': context['dbt_selfheal']['_load_csv_rows']}) %}
  {% endif %}
  {% do return({}) %}
{% endmacro %}
