-- Nobody leaves before the hire, and everybody is hired and leaves in a year which has a row.
select *
from {{ ref('sim_workforce_by_year') }}
where termination_date < hire_date
   or {{ year_of('termination_date') }} <> simulation_year
   or {{ year_of('hire_date') }} > simulation_year
