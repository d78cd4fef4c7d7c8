{#- The few expressions which databases spell differently. The defaults are PostgreSQL's. -#}

{#- In a select list: one row for each whole number from 1 to UPPER. -#}
{% macro number_series(upper) -%}
  {{ return(adapter.dispatch('number_series', 'workforce')(upper)) }}
{%- endmacro %}

{% macro default__number_series(upper) -%}
  generate_series(1, cast({{ upper }} as bigint))
{%- endmacro %}

{% macro duckdb__number_series(upper) -%}
  unnest(generate_series(1, cast({{ upper }} as bigint)))
{%- endmacro %}


{#- The date which is DAYS after a date. -#}
{% macro add_days(date, days) -%}
  {{ return(adapter.dispatch('add_days', 'workforce')(date, days)) }}
{%- endmacro %}

{% macro default__add_days(date, days) -%}
  ({{ date }} + cast({{ days }} as integer))
{%- endmacro %}


{% macro year_of(date) -%}
  {{ return(adapter.dispatch('year_of', 'workforce')(date)) }}
{%- endmacro %}

{% macro default__year_of(date) -%}
  cast(extract(year from {{ date }}) as integer)
{%- endmacro %}


{#- The first of January of a year, which may be an expression. -#}
{% macro first_day_of(year) -%}
  cast(concat({{ year }}, '-01-01') as date)
{%- endmacro %}
