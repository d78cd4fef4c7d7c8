-- The simulated workforce and the contributions have the same employees and years.
select workforce.employee_id, workforce.simulation_year
from {{ ref('sim_workforce_by_year') }} as workforce
full outer join {{ ref('fct_contributions') }} as contributions
    on workforce.employee_id = contributions.employee_id
    and workforce.simulation_year = contributions.simulation_year
where workforce.employee_id is null
   or contributions.employee_id is null
   or workforce.compensation_paid <> contributions.compensation_paid
