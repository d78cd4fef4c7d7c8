{#-
  What the employer adds to a deferral: for each tier of the var `match_tiers`, its rate of that part of the
  deferral which lies between the end of the tier before and the end of this one, in basis points of pay.
-#}
{% macro match_formula(deferral, compensation) -%}
  {%- set parts = [] -%}
  {%- set ends = [0] -%}
  {%- for tier in var('match_tiers') -%}
    {%- set from_amount = basis_points_of(compensation, ends[-1]) -%}
    {%- set to_amount = basis_points_of(compensation, tier.up_to_bps) -%}
    {%- set part = 'greatest(least(' ~ deferral ~ ', ' ~ to_amount ~ ') - ' ~ from_amount ~ ', 0)' -%}
    {%- do parts.append(basis_points_of(part, tier.match_bps)) -%}
    {%- do ends.append(tier.up_to_bps) -%}
  {%- endfor -%}
  ({{ parts | join(' + ') or '0' }})
{%- endmacro %}
