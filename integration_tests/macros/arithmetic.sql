{#- Whole-number arithmetic: it gives the same result on every database, unlike division and rounding of decimals. -#}

{#-
  AMOUNT * NUMERATOR / DENOMINATOR, rounded down to a whole number. Below 2^53 floating point numbers do this without
  an error, which is far beyond any amount here. The arguments must not be negative.
-#}
{% macro whole_share(amount, numerator, denominator) -%}
  cast(floor(cast({{ amount }} as double precision) * ({{ numerator }}) / ({{ denominator }})) as bigint)
{%- endmacro %}

{#- So many basis points of an amount: 10000 is all of it. -#}
{% macro basis_points_of(amount, basis_points) -%}
  {{ whole_share(amount, basis_points, 10000) }}
{%- endmacro %}


{#-
  A pseudo-random whole number from 0 to 9999 which depends on nothing but its arguments, so that every run, on every
  database, sees the same people take the same decisions. PURPOSE keeps the draws of one person apart.

  The arguments are scattered over the numbers below the prime 2^31 - 1; the fifth power then takes the straight lines
  out of the result. (It maps each number to another one, since 5 has no divisor in common with 2^31 - 2.) No
  intermediate result reaches 2^63.
-#}
{% macro draw(key, purpose, year=0) -%}
  {%- set purposes = [
    'job level', 'birth date', 'age', 'tenure', 'tenure skew', 'department', 'salary', 'salary skew',
    'participation', 'deferral', 'active', 'termination', 'termination date', 'merit', 'promotion', 'hire date'
  ] -%}
  {%- if purpose not in purposes -%}
    {{ exceptions.raise_compiler_error("draw: unknown purpose '" ~ purpose ~ "'; known are: " ~ purposes | join(', ')) }}
  {%- endif -%}
  {%- set prime = 2147483647 -%}
  {%- set offset = (year | int * 741103597 + purposes.index(purpose) * 1597334677 + 362436069) % prime -%}
  {%- set x -%} ((cast({{ key }} as bigint) * 1103515245 + {{ offset }}) % {{ prime }}) {%- endset -%}
  {%- set square -%} (({{ x }} * {{ x }}) % {{ prime }}) {%- endset -%}
  {%- set fourth -%} (({{ square }} * {{ square }}) % {{ prime }}) {%- endset -%}
  ((({{ fourth }} * {{ x }}) % {{ prime }}) % 10000)
{%- endmacro %}
