{% call set_sql_header(config) %}
  {{ "set variable testbed_header = 'from the header';" if target.type == 'duckdb' else "set testbed.header = 'from the header';" }}
{%- endcall %}
select {{ "getvariable('testbed_header')" if target.type == 'duckdb' else "current_setting('testbed.header')" }} as header
