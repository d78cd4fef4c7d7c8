{% macro scaled(x) %}({{ x }} * {{ var('gauge_factor') }}){% endmacro %}

{% macro shout(text) %}({{ text }} || '!'){% endmacro %}
