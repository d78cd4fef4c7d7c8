-- The salary of a year is at least the one of the year before.
select employee_id, simulation_year, opening_salary, annual_salary
from {{ ref('sim_workforce_by_year') }}
where annual_salary < opening_salary
