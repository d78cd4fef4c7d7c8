-- Payroll and contributions of a year are the sums of the employees' rows.
with workforce as (
    select simulation_year, sum(compensation_paid) as payroll
    from {{ ref('sim_workforce_by_year') }}
    group by simulation_year
),

contributions as (
    select
        simulation_year,
        sum(elective_deferral) + sum(catch_up_contribution) + sum(employer_match) + sum(employer_core) as total
    from {{ ref('fct_contributions') }}
    group by simulation_year
)

select summary.simulation_year, summary.payroll, summary.total_contributions
from {{ ref('fct_simulation_summary') }} as summary
left join workforce
    on summary.simulation_year = workforce.simulation_year
left join contributions
    on summary.simulation_year = contributions.simulation_year
where summary.payroll <> coalesce(workforce.payroll, 0)
   or summary.total_contributions <> coalesce(contributions.total, 0)
