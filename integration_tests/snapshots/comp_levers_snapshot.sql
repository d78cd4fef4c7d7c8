{% snapshot comp_levers_snapshot %}
{{ config(
    target_schema=target.schema,
    unique_key='lever_id',
    strategy='check',
    check_cols=['cost_of_living_bps', 'merit_bps', 'promotion_bps', 'promotion_raise_bps']
) }}
-- The levers are edited from one planning round to the next; this keeps every version that was in force.
select
    fiscal_year * 100 + job_level as lever_id,
    fiscal_year,
    job_level,
    cost_of_living_bps,
    merit_bps,
    promotion_bps,
    promotion_raise_bps
from {{ ref('comp_levers') }}
{% endsnapshot %}
