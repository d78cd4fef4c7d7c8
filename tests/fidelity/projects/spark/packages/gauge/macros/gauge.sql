{% macro scaled(x) %}({{ x }} * {{ var('gauge_factor') }}){% endmacro %}
