{% macro money(column) %}cast({{ column }} * 100 as integer){% endmacro %}
