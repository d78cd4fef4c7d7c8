-- The levers of each simulated year, as the snapshot has them: those in force, or those that were in force
-- at the moment `levers_as_of`, to repeat an earlier planning round. Years before the first planned one
-- and after the last one have the levers of the nearest.
with levers as (
    select * from {{ ref('comp_levers_snapshot') }}
    {%- if var('levers_as_of') %}
    where dbt_valid_from <= cast('{{ var("levers_as_of") }}' as timestamp)
      and (dbt_valid_to is null or dbt_valid_to > cast('{{ var("levers_as_of") }}' as timestamp))
    {%- else %}
    where dbt_valid_to is null
    {%- endif %}
),

years as (
    {%- for year in simulation_years() %}
    select {{ year }} as simulation_year
    {%- if not loop.last %} union all {%- endif %}
    {%- endfor %}
),

planned as (
    select min(fiscal_year) as first_year, max(fiscal_year) as last_year from levers
)

select
    years.simulation_year,
    levers.job_level,
    levers.cost_of_living_bps,
    levers.merit_bps,
    levers.promotion_bps,
    levers.promotion_raise_bps
from years
cross join planned
inner join levers
    on levers.fiscal_year = least(greatest(years.simulation_year, planned.first_year), planned.last_year)
