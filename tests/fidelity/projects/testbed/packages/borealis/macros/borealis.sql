{% macro shared_name() %}from borealis{% endmacro %}
{# found through dispatch: atlas.bend looks here before it looks at atlas #}
{% macro default__bend(x) %}{{ x }} || ' bent by {{ shared_name() }} {{ var("borealis_unit", "without a var") }}'{% endmacro %}
{# a prefixed macro of another package's dispatch, below the root project's #}
{% macro default__twist(x) %}{{ x }} || ' by borealis'{% endmacro %}
