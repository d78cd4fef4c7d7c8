{# Helpers that atlas's own models call without a prefix. #}
{% macro shared_name() %}from atlas{% endmacro %}

{% macro only_in_atlas() %}{{ shared_name() }}, {{ var('atlas_word') }}{% endmacro %}

{% macro atlas_log(what) %}
create table if not exists {{ this.schema }}.atlas_log_{{ this.identifier }} as
select '{{ what }} {{ shared_name() }} {{ var("atlas_rate") }}' as what
{% endmacro %}

{# dispatched with the package's namespace; the root project and borealis come first (dispatch: in dbt_project.yml) #}
{% macro twist(x) %}{{ return(adapter.dispatch('twist', 'atlas')(x)) }}{% endmacro %}
{% macro default__twist(x) %}{{ x }} || ' by atlas'{% endmacro %}

{% macro turn(x) %}{{ return(adapter.dispatch('turn', 'atlas')(x)) }}{% endmacro %}
{% macro default__turn(x) %}{{ x }} || ' by default'{% endmacro %}
{% macro duckdb__turn(x) %}{{ x }} || ' by duckdb'{% endmacro %}
{% macro postgres__turn(x) %}{{ x }} || ' by postgres'{% endmacro %}

{% macro bend(x) %}{{ return(adapter.dispatch('bend', 'atlas')(x)) }}{% endmacro %}
{% macro default__bend(x) %}{{ x }} || ' not bent'{% endmacro %}

{# dispatched without a namespace, reached only through this package #}
{% macro spin(x) %}{{ return(adapter.dispatch('spin')(x)) }}{% endmacro %}
{% macro default__spin(x) %}{{ x }} || ' spun in atlas, rate {{ var("atlas_rate") }}'{% endmacro %}

{# with the very name of a macro of dbt's own, called through the package #}
{% macro star(from, except=[]) %}
  {%- for column in adapter.get_columns_in_relation(from) if column.name not in except -%}
    {{ adapter.quote(column.name) }}{{ ", " if not loop.last }}
  {%- endfor -%}
{% endmacro %}

{# a package's generate_schema_name, which must lose against the root project's #}
{% macro generate_schema_name(custom_schema_name, node) %}never_{{ custom_schema_name }}{% endmacro %}
