-- The salaries of the census and of hires lie in the range of their job level.
select employees.*
from (
    select employee_id, job_level, annual_salary from {{ ref('stg_census') }}
    union all
    select employee_id, job_level, annual_salary
    from {{ ref('sim_workforce_by_year') }}
    where opening_salary is null
) as employees
inner join {{ ref('config_job_levels') }} as job_levels
    on employees.job_level = job_levels.job_level
where employees.annual_salary not between job_levels.min_salary and job_levels.max_salary
