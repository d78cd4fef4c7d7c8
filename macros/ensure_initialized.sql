{% macro ensure_initialized() %}{% endmacro %}
