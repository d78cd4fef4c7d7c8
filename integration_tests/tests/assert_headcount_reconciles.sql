-- Closing headcount = opening headcount + hires - terminations, the closing one counted by the dates of the employees.
select summary.*, counted.employed
from {{ ref('fct_simulation_summary') }} as summary
inner join (
    select
        simulation_year,
        sum(case when termination_date is null then 1 else 0 end) as employed
    from {{ ref('sim_workforce_by_year') }}
    group by simulation_year
) as counted
    on summary.simulation_year = counted.simulation_year
where summary.closing_headcount <> summary.opening_headcount + summary.hires - summary.terminations
   or summary.closing_headcount <> counted.employed
