{% macro initial_data() %}{% do run_query('delete from ' ~ target.schema ~ '.leaf') %}{% endmacro %}
{% macro health_report() %}{% do return('mine') %}{% endmacro %}
{% macro ensure_initialized() %}{% do return('mine') %}{% endmacro %}
{% macro schema_version() %}{% do return(3) %}{% endmacro %}
