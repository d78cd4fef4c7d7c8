-- Every employee has exactly one row for each simulated year from the hire to the termination.
with employees as (
    select
        employee_id,
        count(*) as row_count,
        count(distinct simulation_year) as year_count,
        greatest(min({{ year_of('hire_date') }}), {{ simulation_years()[0] }}) as first_year,
        coalesce(max({{ year_of('termination_date') }}), {{ simulation_years()[-1] }}) as last_year
    from {{ ref('sim_workforce_by_year') }}
    group by employee_id
)

select *
from employees
where row_count <> last_year - first_year + 1
   or year_count <> row_count
