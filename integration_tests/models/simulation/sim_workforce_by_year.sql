-- The workforce of each simulated year: one row for each employee who was employed on at least one day of it.
-- A year starts with the people whom the year before has left, so the years are chained as CTEs in one query.
-- They are materialized since each one is read more than once.
with age_bands as (
    select * from {{ ref('config_age_bands') }}
),

tenure_bands as (
    select * from {{ ref('config_tenure_bands') }}
),

job_levels as (
    select
        *,
        sum(hire_share_bps) over (order by job_level) - hire_share_bps as from_bps,
        sum(hire_share_bps) over (order by job_level) as to_bps
    from {{ ref('config_job_levels') }}
),

{%- for year in simulation_years() %}

opening_{{ year }} as (
    select employee_id, department, job_level, birth_date, hire_date, annual_salary
    {%- if loop.first %}
    from {{ ref('int_baseline_workforce') }}
    {%- else %}
    from workforce_{{ year - 1 }}
    where termination_date is null
    {%- endif %}
),

-- What happens to those who were there on 1 January.
drawn_{{ year }} as materialized (
    select
        *,
        {{ draw('employee_id', 'termination', year) }} as termination_draw,
        {{ draw('employee_id', 'termination date', year) }} as termination_date_draw,
        {{ draw('employee_id', 'promotion', year) }} as promotion_draw,
        {{ draw('employee_id', 'merit', year) }} as merit_draw
    from opening_{{ year }}
),

decided_{{ year }} as (
    select
        drawn.*,
        drawn.termination_draw
            < {{ basis_points_of('tenure_bands.termination_bps', 'age_bands.termination_multiplier_bps') }} as is_leaving,
        drawn.promotion_draw < levers.promotion_bps as is_promoted,
        levers.cost_of_living_bps,
        -- half to one and a half times the lever, and nothing above the top of the salary range
        case when drawn.annual_salary >= job_levels.max_salary then 0
            else {{ basis_points_of('levers.merit_bps', '5000 + drawn.merit_draw') }}
        end as merit_bps,
        levers.promotion_raise_bps
    from drawn_{{ year }} as drawn
    inner join age_bands
        on {{ year }} - {{ year_of('drawn.birth_date') }} between age_bands.min_age and age_bands.max_age
    inner join tenure_bands
        on {{ year }} - {{ year_of('drawn.hire_date') }}
            between tenure_bands.min_tenure_years and tenure_bands.max_tenure_years
    inner join job_levels
        on drawn.job_level = job_levels.job_level
    inner join {{ ref('int_comp_levers_by_year') }} as levers
        on drawn.job_level = levers.job_level
        and levers.simulation_year = {{ year }}
),

-- Raises take effect on 1 January; who is promoted gets at least the bottom of the new salary range.
experienced_{{ year }} as materialized (
    select
        decided.employee_id,
        decided.department,
        case when decided.is_promoted then decided.job_level + 1 else decided.job_level end as job_level,
        decided.birth_date,
        decided.hire_date,
        case when decided.is_leaving then
            {{ add_days(first_day_of(year), 'decided.termination_date_draw % 365') }}
        end as termination_date,
        decided.is_promoted,
        decided.annual_salary as opening_salary,
        case
            when decided.is_promoted then greatest(next_levels.min_salary, {{ basis_points_of(
                'decided.annual_salary',
                '10000 + decided.cost_of_living_bps + decided.merit_bps + decided.promotion_raise_bps'
            ) }})
            else {{ basis_points_of('decided.annual_salary', '10000 + decided.cost_of_living_bps + decided.merit_bps') }}
        end as annual_salary,
        case when decided.is_leaving then decided.termination_date_draw % 365 + 1 else 365 end as employed_days
    from decided_{{ year }} as decided
    left join job_levels as next_levels
        on decided.job_level + 1 = next_levels.job_level
),

-- Leavers are replaced and the headcount grows as planned. Some of the hires will not stay until the end of the
-- year (half a year's exposure on average): as many more are hired.
vacancies_{{ year }} as (
    select
        {{ whole_share(
            'count(termination_date) + ' ~ basis_points_of('count(*)', var('headcount_growth_bps')),
            20000,
            '20000 - max(first_year.termination_bps)'
        ) }} as hires
    from experienced_{{ year }}
    cross join (select termination_bps from tenure_bands where min_tenure_years = 0) as first_year
),

numbered_{{ year }} as (
    select {{ year }}000000 + {{ number_series('hires') }} as employee_id
    from vacancies_{{ year }}
),

applied_{{ year }} as materialized (
    select
        employee_id,
        {{ draw('employee_id', 'job level') }} as job_level_draw,
        {{ draw('employee_id', 'age') }} as age_draw,
        {{ draw('employee_id', 'birth date') }} as birth_date_draw,
        {{ draw('employee_id', 'hire date') }} % 360 as hire_day,
        {{ draw('employee_id', 'termination', year) }} as termination_draw,
        {{ draw('employee_id', 'termination date', year) }} as termination_date_draw,
        {{ draw('employee_id', 'department') }} as department_draw,
        {{ draw('employee_id', 'salary') }} as salary_draw
    from numbered_{{ year }}
),

-- Days of the year are counted from 0, which is 1 January; the last one is 364 for those who stay.
recruited_{{ year }} as (
    select
        applied.*,
        job_levels.job_level,
        job_levels.min_salary,
        job_levels.max_salary,
        22 + (job_levels.job_level - 1) * 5 + applied.age_draw % 25 as age,
        case
            when applied.termination_draw < {{ whole_share('tenure_bands.termination_bps', '364 - applied.hire_day', 365) }}
                then applied.hire_day + 1 + applied.termination_date_draw % (363 - applied.hire_day)
            else 364
        end as last_day
    from applied_{{ year }} as applied
    inner join job_levels
        on applied.job_level_draw >= job_levels.from_bps
        and applied.job_level_draw < job_levels.to_bps
    inner join tenure_bands
        on tenure_bands.min_tenure_years = 0
),

hires_{{ year }} as (
    select
        employee_id,
        {{ department('department_draw') }} as department,
        job_level,
        {{ add_days(first_day_of(year ~ ' - age'), 'birth_date_draw % 365') }} as birth_date,
        {{ add_days(first_day_of(year), 'hire_day') }} as hire_date,
        case when last_day < 364 then
            {{ add_days(first_day_of(year), 'last_day') }}
        end as termination_date,
        false as is_promoted,
        cast(null as bigint) as opening_salary,
        -- hires start in the lower two thirds of the salary range
        min_salary + {{ whole_share('max_salary - min_salary', 'salary_draw', 15000) }} as annual_salary,
        last_day - hire_day + 1 as employed_days
    from recruited_{{ year }}
),

workforce_{{ year }} as materialized (
    select * from experienced_{{ year }}
    union all
    select * from hires_{{ year }}
),
{%- endfor %}

workforce as (
    {%- for year in simulation_years() %}
    select {{ year }} as simulation_year, * from workforce_{{ year }}
    {%- if not loop.last %} union all {%- endif %}
    {%- endfor %}
),

aged as (
    select
        *,
        simulation_year - {{ year_of('birth_date') }} as age,
        simulation_year - {{ year_of('hire_date') }} as tenure_years
    from workforce
)

select
    aged.employee_id,
    aged.simulation_year,
    case
        when aged.opening_salary is null and aged.termination_date is null then 'new_hire_active'
        when aged.opening_salary is null then 'new_hire_termination'
        when aged.termination_date is null then 'continuous_active'
        else 'experienced_termination'
    end as employment_status,
    aged.department,
    aged.job_level,
    aged.is_promoted,
    aged.birth_date,
    aged.age,
    age_bands.age_band,
    aged.hire_date,
    aged.termination_date,
    aged.tenure_years,
    tenure_bands.tenure_band,
    aged.opening_salary,
    aged.annual_salary,
    cast(aged.employed_days as integer) as employed_days,
    {{ whole_share('aged.annual_salary', 'aged.employed_days', 365) }} as compensation_paid
from aged
inner join age_bands
    on aged.age between age_bands.min_age and age_bands.max_age
inner join tenure_bands
    on aged.tenure_years between tenure_bands.min_tenure_years and tenure_bands.max_tenure_years
