-- A made-up census of `census_size` employees, the same in every run: nothing but the employee's number decides.
with job_levels as (
    select
        job_level,
        min_salary,
        max_salary,
        sum(headcount_share_bps) over (order by job_level) - headcount_share_bps as from_bps,
        sum(headcount_share_bps) over (order by job_level) as to_bps
    from {{ ref('config_job_levels') }}
),

numbers as (
    select {{ number_series(var('census_size') | int) }} as employee_id
),

drawn as materialized (
    select
        employee_id,
        {{ draw('employee_id', 'job level') }} as job_level_draw,
        {{ draw('employee_id', 'age') }} as age_draw,
        {{ draw('employee_id', 'birth date') }} as birth_date_draw,
        {{ draw('employee_id', 'tenure') }} as tenure_draw,
        {{ draw('employee_id', 'tenure skew') }} as tenure_skew_draw,
        {{ draw('employee_id', 'department') }} as department_draw,
        {{ draw('employee_id', 'active') }} as active_draw,
        {{ draw('employee_id', 'termination date') }} as termination_date_draw,
        {{ draw('employee_id', 'salary') }} + {{ draw('employee_id', 'salary skew') }} as salary_draw,
        {{ draw('employee_id', 'participation') }} as participation_draw,
        {{ draw('employee_id', 'deferral') }} as deferral_draw
    from numbers
),

people as (
    select
        drawn.*,
        cast(job_levels.job_level as integer) as job_level,
        job_levels.min_salary,
        job_levels.max_salary,
        -- from 22 years of age, and 5 more for each level, to 66; rather the younger half of that
        22 + (job_levels.job_level - 1) * 5 + {{ whole_share(
            '45 - (job_levels.job_level - 1) * 5',
            whole_share('drawn.age_draw', '10000 + drawn.age_draw', 20000),
            10000
        ) }} as age
    from drawn
    inner join job_levels
        on drawn.job_level_draw >= job_levels.from_bps
        and drawn.job_level_draw < job_levels.to_bps
),

employments as materialized (
    select
        *,
        -- the product of two draws: many have joined lately, few long ago, nobody before the age of 21
        {{ basis_points_of(basis_points_of('(age - 21) * 365', 'tenure_draw'), 'tenure_skew_draw') }} as tenure_days
    from people
),

dated as (
    select
        *,
        {{ add_days(first_day_of(census_year()), '364 - tenure_days') }} as hire_date,
        -- one in twelve has left in the census year
        active_draw >= 830 or tenure_days < 365 as is_active
    from employments
)

select
    employee_id,
    {{ department('department_draw') }} as department,
    job_level,
    {{ add_days(first_day_of(census_year() ~ ' - age'), 'birth_date_draw % 365') }} as birth_date,
    hire_date,
    case when not is_active then
        {{ add_days(first_day_of(census_year()), 'termination_date_draw % 365') }}
    end as termination_date,
    is_active,
    -- the mean of two draws: salaries crowd around the middle of the range
    min_salary + {{ whole_share('max_salary - min_salary', 'salary_draw', 20000) }} as annual_salary,
    -- one in five does not save, one in fifty saves a quarter of the salary, the others 2 to 11 %
    case
        when participation_draw < 2000 then 0
        when participation_draw < 2200 then 2500
        else 200 + (deferral_draw % 10) * 100
    end as deferral_rate_bps
from dated
