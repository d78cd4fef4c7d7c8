{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='compensation_year',
    indexes=[{'columns': ['employee_id', 'compensation_year']}],
    post_hook='analyze {{ this }}'
) }}
-- What the baseline workforce earned in the years up to the census. A census replaces the years that it comes with;
-- the years before, which only earlier censuses had, are kept.
with years as (
    {%- for years_ago in range(var('history_years') | int) %}
    select {{ census_year() - years_ago }} as compensation_year, {{ years_ago }} as years_ago
    {%- if not loop.last %} union all {%- endif %}
    {%- endfor %}
),

salaries as (
    select
        workforce.employee_id,
        years.compensation_year,
        workforce.job_level,
        -- The census has the present salary only: 4 % less for each year back.
        {{ whole_share('workforce.annual_salary', 10000, '10000 + 400 * years.years_ago') }} as annual_salary,
        case
            when {{ year_of('workforce.hire_date') }} < years.compensation_year then 365
            else least(365, cast(concat(years.compensation_year, '-12-31') as date) - workforce.hire_date + 1)
        end as employed_days
    from {{ ref('int_baseline_workforce') }} as workforce
    inner join years
        on {{ year_of('workforce.hire_date') }} <= years.compensation_year
)

select
    employee_id,
    compensation_year,
    job_level,
    annual_salary,
    cast(employed_days as integer) as employed_days,
    {{ whole_share('annual_salary', 'employed_days', 365) }} as compensation_paid
from salaries
