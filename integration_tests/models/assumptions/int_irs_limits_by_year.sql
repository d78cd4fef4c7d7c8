-- The limits of each simulated year and of the year before. A year whose limits the IRS has not announced
-- yet has the last announced ones: no growth of the limits is assumed.
with years as (
    {%- for year in [census_year()] + simulation_years() %}
    select {{ year }} as simulation_year
    {%- if not loop.last %} union all {%- endif %}
    {%- endfor %}
),

announced as (
    select max(limit_year) as last_year from {{ ref('irs_contribution_limits') }}
)

select
    years.simulation_year,
    limits.limit_year,
    years.simulation_year = limits.limit_year as is_announced,
    limits.elective_deferral_limit,
    limits.catch_up_limit,
    coalesce(limits.super_catch_up_limit, limits.catch_up_limit) as super_catch_up_limit,
    limits.annual_additions_limit,
    limits.compensation_limit,
    limits.hce_threshold
from years
cross join announced
inner join {{ ref('irs_contribution_limits') }} as limits
    on limits.limit_year = least(years.simulation_year, announced.last_year)
