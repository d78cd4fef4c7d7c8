-- One row for each simulated year.
with workforce as (
    select
        simulation_year,
        sum(case when employment_status in ('continuous_active', 'experienced_termination') then 1 else 0 end) as opening_headcount,
        sum(case when employment_status in ('new_hire_active', 'new_hire_termination') then 1 else 0 end) as hires,
        sum(case when employment_status in ('experienced_termination', 'new_hire_termination') then 1 else 0 end) as terminations,
        sum(case when employment_status in ('continuous_active', 'new_hire_active') then 1 else 0 end) as closing_headcount,
        sum(case when is_promoted then 1 else 0 end) as promotions,
        sum(compensation_paid) as payroll
    from {{ ref('sim_workforce_by_year') }}
    group by simulation_year
),

contributions as (
    select
        simulation_year,
        sum(case when deferral_rate_bps > 0 then 1 else 0 end) as participants,
        sum(case when is_highly_compensated then 1 else 0 end) as highly_compensated,
        sum(elective_deferral) as elective_deferrals,
        sum(catch_up_contribution) as catch_up_contributions,
        sum(employer_match) as employer_match,
        sum(employer_core) as employer_core,
        sum(total_contribution) as total_contributions
    from {{ ref('fct_contributions') }}
    group by simulation_year
)

select
    workforce.simulation_year,
    {%- for measure in ['opening_headcount', 'hires', 'terminations', 'closing_headcount', 'promotions', 'payroll'] %}
    cast(workforce.{{ measure }} as bigint) as {{ measure }},
    {%- endfor %}
    {%- for measure in [
        'participants', 'highly_compensated', 'elective_deferrals', 'catch_up_contributions', 'employer_match',
        'employer_core', 'total_contributions'
    ] %}
    cast(contributions.{{ measure }} as bigint) as {{ measure }},
    {%- endfor %}
    limits.is_announced as limits_announced
from workforce
inner join contributions
    on workforce.simulation_year = contributions.simulation_year
inner join {{ ref('int_irs_limits_by_year') }} as limits
    on workforce.simulation_year = limits.simulation_year
