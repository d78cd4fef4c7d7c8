-- Who is employed when the simulation starts. Age and tenure are completed years on the day of the census.
with employees as (
    select
        *,
        {{ census_year() }} - {{ year_of('birth_date') }} as age,
        {{ census_year() }} - {{ year_of('hire_date') }} as tenure_years
    from {{ ref('stg_census') }}
    where is_active
)

select
    employees.employee_id,
    cast(employees.department as varchar) as department,
    employees.job_level,
    employees.birth_date,
    employees.hire_date,
    employees.annual_salary,
    cast(employees.deferral_rate_bps as integer) as deferral_rate_bps,
    employees.age,
    cast(age_bands.age_band as varchar) as age_band,
    employees.tenure_years,
    cast(tenure_bands.tenure_band as varchar) as tenure_band
from employees
inner join {{ ref('config_age_bands') }} as age_bands
    on employees.age between age_bands.min_age and age_bands.max_age
inner join {{ ref('config_tenure_bands') }} as tenure_bands
    on employees.tenure_years between tenure_bands.min_tenure_years and tenure_bands.max_tenure_years
