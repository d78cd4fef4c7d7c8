{#- The years of the simulation, and the year whose last day the census was taken on. -#}

{% macro simulation_years() -%}
  {%- set start_year = var('start_year') | int -%}
  {%- set end_year = var('end_year') | int -%}
  {%- if end_year < start_year -%}
    {{ exceptions.raise_compiler_error("vars.workforce: end_year " ~ end_year ~ " is before start_year " ~ start_year) }}
  {%- endif -%}
  {%- if start_year < 2021 -%}
    {{ exceptions.raise_compiler_error(
      "vars.workforce: start_year " ~ start_year ~ " is too early; irs_contribution_limits begins with 2020,"
      ~ " and the year before the first one is needed too"
    ) }}
  {%- endif -%}
  {{ return(range(start_year, end_year + 1) | list) }}
{%- endmacro %}

{% macro census_year() -%}
  {{ return(simulation_years()[0] - 1) }}
{%- endmacro %}
